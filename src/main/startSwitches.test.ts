// What opens the packaged app is refused in every spelling; what desktops and the product itself say is not.
import { expect, test } from 'vitest'
import { demoOptions } from './app/demo/demoOptions.ts'
import { refusalOf, refusedWord } from './startSwitches.ts'

const person = { platform: 'linux', isRoot: false } as const

test.each([
  '--remote-debugging-port=9222',
  '-remote-debugging-port=9222',
  '--remote-debugging-pipe',
  '--remote-allow-origins=*',
  '--inspect',
  '--inspect-brk=0.0.0.0:9229',
  '--js-flags=--expose-gc',
  '--load-extension=/x',
  '--disable-web-security',
  '--no-sandbox',
  '--disable-setuid-sandbox',
  '--single-process',
  '--proxy-server=a:1',
  '--proxy-pac-url=http://a/b',
  '--host-rules=MAP * a',
  '--host-resolver-rules=MAP * 127.0.0.1',
  '--log-net-log=/x',
  '--enable-logging=file',
  '--renderer-cmd-prefix=sh',
  '--utility-cmd-prefix=sh',
  '--gpu-launcher=sh',
  '--browser-subprocess-path=/x',
  '--user-agent=x',
  '--app=https://example.org',
  '--allow-file-access-from-files',
  '--ignore-certificate-errors',
  '--enable-features=UseOzonePlatform,RemoteDebugging',
  '--enable-features=',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--enable-blink-features=x',
  '--blink-settings=x',
  '--unsafely-treat-insecure-origin-as-secure=http://a',
  '--Remote-Debugging-Port=1',
  '--require=/x.js',
  '-r',
  '--eval=1',
  '-psn_0_123',
  '--squirrel-install',
  '--',
  '-',
])('%s is refused', (word) => {
  expect(refusedWord(['/home/a/My images.fisao', word, '--demo'], person)).toBe(word)
})

test('what the product, a desktop file or a double click says is taken', () => {
  const words = [
    ...['/home/a/--odd name.fisao', 'relative.fisao', '', '--demo', '--out=/x --inspect', '--held-out=/a=b'],
    ...['--user-data-dir=/x', '--ozone-platform-hint=auto', '--ozone-platform=wayland', '--gtk-version=4', '--lang=de'],
    ...[
      '--enable-features=UseOzonePlatform,WaylandWindowDecorations',
      '--force-device-scale-factor=1.5',
      '--disable-gpu',
    ],
  ]
  expect(refusedWord(words, person)).toBe(null)
})

test('every switch that the demo asks for is taken', () => {
  const asked: string[] = []
  const ask = (name: string): string => {
    asked.push(name)
    return ''
  }
  demoOptions((name) => ask(name) === '', ask)
  expect(asked).toContain('placebo')
  for (const name of asked) expect(refusedWord([`--${name}=1`], person), name).toBe(null)
})

test('the sandbox may be missing for root on Linux only', () => {
  expect(refusedWord(['--no-sandbox'], { platform: 'linux', isRoot: true })).toBe(null)
  expect(refusedWord(['--no-sandbox'], { platform: 'darwin', isRoot: true })).toBe('--no-sandbox')
})

test('each system has ways of its own', () => {
  const onWindows = { platform: 'win32', isRoot: false } as const
  expect(refusedWord(['--squirrel-firstrun', 'C:\\a.fisao'], onWindows)).toBe(null)
  expect(refusedWord(['/remote-debugging-port=1'], onWindows)).toBe('/remote-debugging-port=1')
  expect(refusedWord(['-psn_0_123'], { platform: 'darwin', isRoot: false })).toBe(null)
})

test('the sentence names the switch, not what it was given', () => {
  expect(refusalOf('--proxy-server=http://user:secret@a')).toBe(
    'FiSAO Studio did not start: "--proxy-server" is not one of its switches, and such a switch could open it to other programs. Start it without "--proxy-server".',
  )
})
