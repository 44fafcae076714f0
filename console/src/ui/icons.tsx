/** Icons, sixteen pixels square. They are decoration: a text beside each icon has its meaning. */

const PATHS = {
  dashboard: 'M2.5 2.500h4.500v6h-4.500zM9 2.500h4.500v3.500H9zM9 8h4.500v5.500H9zM2.500 10.500H7v3H2.500z',
  hosts: 'M2.500 3h11v4h-11zM2.500 9h11v4h-11zM5 5h.01M5 11h.01',
  jobs: 'M3 4l3.500 4L3 12M8.500 12H13',
  releases: 'M8 2l5 2.800v6.400L8 14l-5-2.800V4.800zM3 4.800l5 2.700 5-2.700M8 7.500V14',
  fleet_updates: 'M13 8a5 5 0 1 1-1.500-3.550M13 2.500v2.700h-2.700',
  enrollment: 'M8 3v10M3 8h10',
  users:
    'M8 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM3 13.500c.5-2.500 2.500-3.800 5-3.800s4.500 1.300 5 3.800',
  api_keys: 'M6 11.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8 7.500l5-5M11 4.500l2 2',
  audit: 'M4 2.500h8v11H4zM6.500 5.500h3M6.500 8h3M6.500 10.500h3',
  search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.500 10.500L14 14',
  menu: 'M2.500 4.500h11M2.500 8h11M2.500 11.500h11',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M6 5.500h7.500V14H6zM10 5.500V2.500H2.500V10H6',
  check: 'M3 8.500L6.500 12 13 4.500',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  download: 'M8 2.500v8M4.500 7.500L8 11l3.500-3.500M3 13.500h10',
  warning: 'M8 2.500l6 11H2zM8 6.500v3.500M8 12h.01',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      aria-hidden="true"
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
    >
      <path d={PATHS[name]} strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  )
}

export function Logo() {
  return (
    <svg aria-hidden="true" viewBox="0 0 16 16">
      <rect width="16" height="16" rx="3.5" />
      <path
        d="M3.500 12V4.500L8 9l4.500-4.500V12"
        fill="none"
        strokeWidth="1.800"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}
