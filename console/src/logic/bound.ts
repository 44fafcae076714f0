/** Binds a form field to a property of the form's state. */

export function bound<T extends object>(typed: T, set: (change: Partial<T>) => void) {
  return <K extends keyof T>(key: K) => ({
    value: typed[key],
    onChange: (value: T[K]) => {
      set({ [key]: value } as unknown as Partial<T>)
    },
  })
}
