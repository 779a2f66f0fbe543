import type { SurveyedQueue } from '../../store/overview.ts'
import { Count } from './elements.tsx'
import type { Markup } from './page.ts'
import { Row } from './row.tsx'
import { Table, type Column } from './table.tsx'

const COLUMNS: readonly Column[] = [
  { name: 'Queue' },
  { name: 'Available', isNumber: true },
  { name: 'Running', isNumber: true },
]

/** Queues to choose from, and where each leads. */
export function QueueTable(props: {
  label: string
  queues: readonly SurveyedQueue[]
  hrefOf: (name: string) => string
}): Markup {
  const { label, queues, hrefOf } = props
  return (
    <Table label={label} columns={COLUMNS}>
      {queues.map(({ name, available, running }) => (
        <Row id={name} href={hrefOf(name)}>
          <td>
            <a href={hrefOf(name)}>{name}</a>
          </td>
          <td class="number">
            <Count count={available} />
          </td>
          <td class="number">
            <Count count={running} />
          </td>
        </Row>
      ))}
    </Table>
  )
}
