// The demo run as `npm run demo` does it: what it leaves behind, and that nothing on the way asks for the network.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { electronArguments } from '../scripts/launch.ts'
import { runtimeEnvironment, setUp } from '../scripts/setup.ts'
import { splits } from '../tools/demo-model/world.ts'
import { sceneFolder } from '../tools/scenes/sceneFolder.ts'
import { expect, test } from './studio.ts'

/** What Chromium's network log says of one event; `type` is a number that `constants` names. */
interface NetLog {
  readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> }
  readonly events: readonly {
    readonly type: number
    readonly params?: { readonly url?: string; readonly host?: string }
  }[]
}

test('the demo aligns, judges and reports, and never touches the network', async ({ folder }) => {
  test.setTimeout(300_000)
  const runtime = await setUp()
  const out = join(folder, 'output')
  const netLogFile = join(folder, 'net.json')
  const { images } = await sceneFolder(splits.validation.seed, 12)
  // A short one: two steps, few scenes.
  const flags = ['--demo', `--out=${out}`, '--seed=5', '--images=48', '--steps=2', `--held-out=${dirname(images)}`]
  const args = electronArguments([...flags, `--log-net-log=${netLogFile}`])
  const connections = new Set<string>()
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(runtime.electronPath, args, { env: runtimeEnvironment(runtime) }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout),
    )
    const timer = setInterval(() => {
      for (const address of remoteAddresses(child.pid ?? 0)) connections.add(address)
    }, 50)
    child.once('exit', () => clearInterval(timer))
  })

  await test.step('what it leaves behind', () => {
    expect(output).toMatch(/200 sample scenes imported in/)
    expect(output).toMatch(/CHAIR_i fell by .* on 12 held-out scenes/)
    const result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'))
    expect(result).toMatchObject({
      ...{ seed: 5, preset: 'quick-look', reward: 'token', calibration: 'free', device: 'cpu', images: 200 },
      ...{ resumedFrom: null, steps: { done: 2 }, before: { n: 12 }, after: { n: 12 } },
    })
    for (const figure of [result.before.chairI, result.after.recall, result.verifier.aurocEstimated]) {
      expect(figure).toBeGreaterThanOrEqual(0)
      expect(figure).toBeLessThanOrEqual(1)
    }
    expect(result.tokensGenerated).toBeGreaterThan(1000)
    const report = readFileSync(join(out, 'report.html'), 'utf8')
    expect([...report.matchAll(/<article class="scene">/g)]).toHaveLength(12)
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))
    expect(summary.import).toMatchObject({ images: 200, skipped: 0 })
    expect(summary.hardware.devices[0]).toMatchObject({ device: 'cpu', state: 'right' })
    expect(existsSync(join(out, 'Demo.fisao'))).toBe(true)
    const png = readFileSync(join(out, 'screenshot.png'))
    expect([png.toString('latin1', 1, 4), png.readUInt32BE(16)]).toEqual(['PNG', 1280])
  })

  await test.step('the page asked for nothing outside the app', () => {
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')).refusedAddresses).toEqual([])
  })

  await test.step("Chromium's network log has no look-up and no connection", () => {
    const { constants, events } = JSON.parse(readFileSync(netLogFile, 'utf8')) as NetLog
    const telling = [
      'HOST_RESOLVER_MANAGER_REQUEST',
      'TCP_CONNECT',
      'UDP_CONNECT',
      'SSL_CONNECT',
      'HTTP_TRANSACTION_SEND_REQUEST',
    ]
    const types = new Map(telling.map((name) => [constants.logEventTypes[name], name]))
    expect([...types.keys()]).not.toContain(undefined)
    expect(events.length).toBeGreaterThan(0)
    const found = events.flatMap(({ type, params }) =>
      types.has(type) ? [`${types.get(type)} ${JSON.stringify(params)}`] : [],
    )
    expect(found).toEqual([])
  })

  await test.step('no process of the app held a connection', () => {
    expect([...connections]).toEqual([])
  })
})

/** Remote ends of the TCP and UDP sockets that a process and its descendants hold, as the kernel writes them. */
function remoteAddresses(pid: number): string[] {
  if (process.platform !== 'linux') return []
  const inodes = new Set(family(pid).flatMap(socketInodes))
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9] ?? '') && !/^0+:0+$/.test(fields[2] ?? ''))
      .map((fields) => `${table} ${fields[2]}`),
  )
}

function family(pid: number): number[] {
  const children = orNothing(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' '))
  return [pid, ...children.filter(Boolean).flatMap((child) => family(Number(child)))]
}

function socketInodes(pid: number): string[] {
  return orNothing(() => readdirSync(`/proc/${pid}/fd`)).flatMap((fd) =>
    orNothing(() => [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '']),
  )
}

/** A process may end between two looks at it; then there is nothing to see. */
function orNothing<T>(look: () => T[]): T[] {
  try {
    return look()
  } catch {
    return []
  }
}
