// What this computer can do: the device that was chosen and why, and what was found of the others.
import { Alert, Badge, Button, Loader, Paper, Table, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconCircleMinus, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { DeviceName, DeviceReport, HardwareReport } from '../../../../shared/hardware.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatBytes, formatSpeed } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import { DataFolder } from './DataFolder.tsx'
import css from './HardwareCard.module.css'

export const deviceLabels: Readonly<Record<DeviceName, string>> = {
  cpu: 'Processor',
  webgpu: 'Graphics (WebGPU)',
  cuda: 'NVIDIA (CUDA)',
  dml: 'Graphics (DirectML)',
  coreml: 'Apple (Core ML)',
}

export function HardwareCard(): ReactNode {
  const { hardware, hardwareError, engine } = useAppState()
  const isMeasuring = !hardware && !hardwareError && engine.state !== 'failed' && engine.state !== 'stopped'
  return (
    <Paper component="section" withBorder p="lg" aria-labelledby="hardware-title">
      <div className={css.cardHead}>
        <Title order={2} size="h4" id="hardware-title">
          This computer
        </Title>
        <Button
          size="xs"
          variant="default"
          disabled={isMeasuring}
          onClick={() => attempt(() => request('hardware.probe', {}))}
        >
          Measure again
        </Button>
      </div>
      {isMeasuring && (
        <div className={css.measuring}>
          <Loader size="xs" aria-hidden="true" />
          <Text size="sm">Measuring what each device can do…</Text>
        </div>
      )}
      {hardwareError && (
        <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={hardwareError.message}>
          {hardwareError.remedy}
        </Alert>
      )}
      {hardware && <Measured hardware={hardware} />}
      <DataFolder />
    </Paper>
  )
}

function Measured({ hardware }: { readonly hardware: HardwareReport }): ReactNode {
  const devices = hardware.devices.filter(({ state }) => state !== 'not-offered')
  return (
    <>
      <Text size="sm" mb={2}>
        <strong>{deviceLabels[hardware.chosen]}</strong> will do the work. {hardware.reason}
      </Text>
      <Text size="sm" className="quiet" mb="md">
        {hardware.cpuModel}, {hardware.cpuCores} {hardware.cpuCores === 1 ? 'core' : 'cores'},{' '}
        {formatBytes(hardware.memoryBytes)} memory
      </Text>
      <Table className={css.deviceTable} verticalSpacing={6} aria-label="Devices">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Device</Table.Th>
            <Table.Th className="number">Speed</Table.Th>
            <Table.Th>Finding</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {devices.map((report) => (
            <DeviceRow key={report.device} report={report} isChosen={report.device === hardware.chosen} />
          ))}
        </Table.Tbody>
      </Table>
    </>
  )
}

function DeviceRow({ report, isChosen }: { readonly report: DeviceReport; readonly isChosen: boolean }): ReactNode {
  const { device, state, gemmGflops, reason } = report
  const Icon = state === 'right' ? IconCheck : state === 'wrong' || state === 'crashed' ? IconX : IconCircleMinus
  return (
    <Table.Tr>
      <Table.Td className={css.deviceName}>
        {deviceLabels[device]}
        {isChosen && (
          <Badge size="xs" variant="light" ml={8}>
            chosen
          </Badge>
        )}
      </Table.Td>
      <Table.Td className="number">{gemmGflops === null ? '–' : formatSpeed(gemmGflops)}</Table.Td>
      <Table.Td>
        <span className={shared.finding} data-state={state}>
          <Icon size={15} aria-hidden="true" />
          {reason}
        </span>
      </Table.Td>
    </Table.Tr>
  )
}
