/** Form fields: native inputs, each with a label, a help text and an error. */

import { useId, type InputHTMLAttributes, type ReactNode, type Ref } from 'react'

interface FieldProps {
  label: string
  narrow?: boolean
  help?: string
  fault?: string | null
}

interface FieldAttributes {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': true | undefined
}

function Field({
  label,
  narrow = false,
  help,
  fault,
  children,
}: FieldProps & { children: (attributes: FieldAttributes) => ReactNode }) {
  const id = useId()
  const described = help || fault ? `${id}-about` : undefined
  return (
    <div className={narrow ? 'field narrow' : 'field'}>
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': fault ? true : undefined })}
      {described && (
        <span id={described} className={fault ? 'fault' : 'help'}>
          {fault ?? help}
        </span>
      )}
    </div>
  )
}

type Input = Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value'>

export interface TextFieldProps extends FieldProps, Input {
  value: string
  onChange: (value: string) => void
  ref?: Ref<HTMLInputElement>
}

export function TextField({ label, narrow, help, fault, onChange, className = '', ...input }: TextFieldProps) {
  return (
    <Field label={label} narrow={narrow} help={help} fault={fault}>
      {(attributes) => (
        <input
          {...input}
          {...attributes}
          className={`input ${className}`}
          onChange={(event) => {
            onChange(event.target.value)
          }}
        />
      )}
    </Field>
  )
}

interface SelectProps<T extends string> extends FieldProps {
  value: T
  onChange: (value: T) => void
  options: readonly (readonly [T, string])[]
}

export function SelectField<T extends string>({ label, help, fault, value, onChange, options }: SelectProps<T>) {
  return (
    <Field label={label} help={help} fault={fault}>
      {(attributes) => (
        <select
          {...attributes}
          className="input"
          value={value}
          onChange={(event) => {
            onChange(event.target.value as T)
          }}
        >
          {options.map(([option, name]) => (
            <option key={option} value={option}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface CheckProps {
  label: string
  checked: boolean
  onChange: (checked: boolean) => void
}

export function Check({ label, checked, onChange }: CheckProps) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => {
          onChange(event.target.checked)
        }}
      />
      {label}
    </label>
  )
}
