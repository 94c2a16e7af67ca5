// One filter: a button that opens its choice; while it is on, what it says and a way to take it away.
import { CloseButton, Popover } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import css from './FilterBar.module.css'

interface FilterChipProps {
  readonly name: string
  /** What is asked for, in a few words; null while the filter is off. */
  readonly value: string | null
  readonly width?: number
  readonly onClear: () => void
  readonly children: (close: () => void) => ReactNode
}

export function FilterChip({ name, value, width = 300, onClear, children }: FilterChipProps): ReactNode {
  const [isOpen, setOpen] = useState(false)
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-start" width={width} trapFocus returnFocus shadow="md">
      <div className={css.chip} data-on={value !== null}>
        <Popover.Target>
          <button type="button" className={css.chipButton} title={value ?? undefined} onClick={() => setOpen(!isOpen)}>
            <span className={css.chipText}>
              {name}
              {value !== null && (
                <>
                  : <bdi className={css.chipValue}>{value}</bdi>
                </>
              )}
            </span>
            {value === null && <IconChevronDown size={14} aria-hidden="true" />}
          </button>
        </Popover.Target>
        {value !== null && (
          <CloseButton size="xs" className={css.chipClose} aria-label={`Clear the filter ${name}`} onClick={onClear} />
        )}
      </div>
      <Popover.Dropdown aria-label={name}>{children(() => setOpen(false))}</Popover.Dropdown>
    </Popover>
  )
}
