/** A line chart over time, drawn as SVG, with the same data as a table. */

import { useId } from 'react'

import { count } from '../logic/sizes'
import { exact } from './time'

import '../styles/chart.css'

export interface Series {
  name: string
  /** `good`, `warn`, `bad`, as classes. */
  tone: string
  values: number[]
}

interface ChartProps {
  label: string
  at: string[]
  series: Series[]
}

const WIDTH = 800
const HEIGHT = 180
const LEFT = 46
const BOTTOM = 22
const TOP = 8

export function Chart({ label, at, series }: ChartProps) {
  const id = useId()
  const top = ceiling(Math.max(1, ...series.flatMap(({ values }) => values)))
  const x = (index: number) => LEFT + (index / Math.max(1, at.length - 1)) * (WIDTH - LEFT)
  const y = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)
  const line = (values: number[]) =>
    values.map((value, index) => `${index === 0 ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join('')
  return (
    <figure className="chart">
      <figcaption id={id} className="chart-legend">
        <span className="unseen">{label}</span>
        {series.map(({ name, tone, values }) => (
          <span key={name} className={`key ${tone}`}>
            {name} <strong>{count(values.at(-1) ?? 0)}</strong>
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-labelledby={id}>
        {[0, 0.5, 1].map((share) => (
          <line key={share} className="guide" x1={LEFT} x2={WIDTH} y1={y(top * share)} y2={y(top * share)} />
        ))}
        {series.map(({ name, tone, values }) => (
          <path key={name} className={`curve ${tone}`} d={line(values)} />
        ))}
      </svg>
      <div className="chart-scale" aria-hidden="true">
        {[1, 0.5, 0].map((share) => (
          <span key={share}>{count(Math.round(top * share))}</span>
        ))}
      </div>
      <div className="chart-times" aria-hidden="true">
        {[0, 0.33, 0.67, 1].map((share) => (
          <span key={share}>{clock(at[Math.round(share * (at.length - 1))])}</span>
        ))}
      </div>
      <DataTable label={label} at={at} series={series} />
    </figure>
  )
}

/** A round, even number above all values: the top of the scale. */
function ceiling(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most))
  const factor = [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10].find((each) => each * power >= most) ?? 10
  return Math.max(2, factor * power)
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' })

function clock(at: string | undefined): string {
  return at ? CLOCK.format(new Date(at)) : ''
}

/** The data of the chart as a table. */
function DataTable({ label, at, series }: ChartProps) {
  return (
    <details className="chart-table">
      <summary>Show as a table</summary>
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chart-table-frame" tabIndex={0} role="region" aria-label={`${label}, as a table`}>
        <table className="table" aria-label={label}>
          <thead>
            <tr>
              <th scope="col">When</th>
              {series.map(({ name }) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {at.map((each, index) => (
              <tr key={each}>
                <th scope="row">{exact(each)}</th>
                {series.map(({ name, values }) => (
                  <td key={name}>{count(values[index] ?? 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
