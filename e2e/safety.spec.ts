// What the page may not do, tried from inside the page; and what main refuses to answer.
import { createWorkspace, expect, test } from './studio.ts'

test('the page has no Node, no eval, no network, no new windows, no permissions', async ({ studio }) => {
  const { app, page } = studio
  const tried = await page.evaluate(async () => {
    const outcome = async (work: () => unknown): Promise<string> => {
      try {
        return `done: ${String(await work())}`
      } catch (thrown) {
        return thrown instanceof Error ? thrown.name : 'refused'
      }
    }
    return {
      node: typeof (globalThis as { process?: unknown }).process + typeof (globalThis as { require?: unknown }).require,
      // In a task of its own: the debugger lifts the ban for the script that it runs itself.
      evaluated: await new Promise((resolve) => setTimeout(() => resolve(outcome(() => new Function('return 1')())))),
      fetched: await outcome(() => fetch('https://example.org/')),
      opened: await outcome(() => window.open('https://example.org/')),
      notified: await outcome(() => Notification.requestPermission()),
    }
  })
  expect(tried).toEqual({
    node: 'undefinedundefined',
    evaluated: 'EvalError',
    fetched: 'TypeError',
    opened: 'done: null',
    notified: 'done: denied',
  })
  await page.evaluate(() => {
    location.href = 'https://example.org/'
  })
  await page.waitForTimeout(300)
  expect(page.url()).toBe('app://studio/index.html')
  expect(app.windows()).toHaveLength(1)
})

test('a request that is not of the contract is refused with its reason', async ({ studio }) => {
  const { page } = studio
  const answers = await page.evaluate(async () => {
    const { request } = window.studio as unknown as { request: (channel: string, params: unknown) => Promise<unknown> }
    return {
      malformed: await request('images.window', { offset: -1 }),
      closed: await request('images.count', {
        query: { search: '', sort: 'newest', checkpointId: null, responses: 'any', scoreRange: null, tag: null },
      }),
      unknown: await request('files.read', { path: '/etc/passwd' }).catch((thrown: Error) => thrown.message),
    }
  })
  expect(answers).toMatchObject({
    malformed: { ok: false, error: { code: 'ipc.malformed' } },
    closed: { ok: false, error: { code: 'workspace.none-open', remedy: expect.any(String) } },
    unknown: 'no channel files.read',
  })
})

test('menu and shortcuts follow what is open', async ({ studio, folder }) => {
  const { app, page } = studio
  const isEnabled = (label: string): Promise<boolean | undefined> =>
    app.evaluate(({ Menu }, wanted) => {
      const items = Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items ?? [])
      return items?.find((item) => item.label === wanted)?.enabled
    }, label)
  expect(await isEnabled('Show Logs')).toBe(true)
  expect(await isEnabled('Add a Folder of Images…')).toBe(false)
  await createWorkspace(studio, `${folder}/work.fisao`)
  await expect.poll(() => isEnabled('Add a Folder of Images…')).toBe(true)
  await app.evaluate(({ Menu }) => {
    const items = Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items ?? [])
    items?.find((item) => item.label === 'Home')?.click()
  })
  await expect(page).toHaveTitle('Home – work – FiSAO Studio')
})

test('addresses that name nothing are not found, and not a fault', async ({ studio, folder }) => {
  const { app } = studio
  await createWorkspace(studio, `${folder}/work.fisao`)
  const addresses = [
    ...[
      'app://studio/%',
      'app://studio/%E0%A4%A',
      'app://studio/%00',
      'app://studio/..%2f..%2fpackage.json',
      'app://studio/',
    ],
    ...['app://other/index.html', 'app://studio/%2e%2e/main/index.js', 'app://studio/index.html%00.js', 'app://%/x.js'],
    ...['studio-image://x/full/1', 'studio-image://%/full/1', 'studio-image://x/%/1', 'studio-image://x/full/1e9'],
  ]
  const statuses = await app.evaluate(
    ({ session }, all) =>
      Promise.all(
        all.map((address) =>
          session.defaultSession.fetch(address).then(
            (r) => r.status,
            (e) => e.message,
          ),
        ),
      ),
    addresses,
  )
  const invalid = ['app://%/x.js', 'studio-image://%/full/1']
  for (const [index, address] of addresses.entries()) {
    if (invalid.includes(address)) expect(statuses[index], address).toMatch(/invalid|ERR_/i)
    else expect(statuses[index], address).toBe(404)
  }
  expect(
    await app.evaluate(({ session }) => session.defaultSession.fetch('app://studio/index.html').then((r) => r.status)),
  ).toBe(200)
})
