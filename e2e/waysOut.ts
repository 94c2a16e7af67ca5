// What a page can do to reach another machine, all of it, for offline.spec.ts. Runs inside the page, so it refers to
// nothing outside of the function.

/**
 * Tries each way, in pairs of an address that needs no look-up and a name that does.
 * @returns what became of each: the error's name, or what it came to
 */
export async function waysOut({ tcp, name }: { tcp: string; name: string }): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {}
  const patienceMs = 1500
  const attempt = async (label: string, work: () => unknown): Promise<void> => {
    try {
      const late = new Promise((resolve) => setTimeout(() => resolve('no answer'), patienceMs))
      outcomes[label] = String(await Promise.race([work(), late])).slice(0, 80)
    } catch (thrown) {
      outcomes[label] = thrown instanceof Error ? thrown.name : 'refused'
    }
  }
  const put =
    (markup: string): (() => void) =>
    () => {
      const holder = document.createElement('div')
      holder.innerHTML = markup
      document.body.append(holder)
    }
  const head =
    (tag: string, attributes: Record<string, string>): (() => void) =>
    () => {
      const element = document.createElement(tag)
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
      document.head.append(element)
    }
  const heard = (target: EventTarget, good: string): Promise<string> =>
    new Promise((resolve) => {
      target.addEventListener(good, () => resolve(good))
      target.addEventListener('error', () => resolve('error'))
    })
  // Typed as what an experimental browser might have: most of these are in no library of types.
  type Loose = Record<string, new (...args: unknown[]) => Record<string, (...args: unknown[]) => unknown> & EventTarget>
  const loose = globalThis as unknown as Loose
  const device = navigator as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>
  const hands = navigator as unknown as Record<string, (...args: unknown[]) => unknown>

  const work: Promise<void>[] = []
  for (const host of [tcp, name]) {
    const url = `http://${host}/x`
    const secure = `https://${host}/x`
    const ways: Record<string, () => unknown> = {
      fetch: () => fetch(url),
      'fetch, kept alive': () => fetch(url, { keepalive: true, method: 'POST', mode: 'no-cors', body: 'x' }),
      'fetch later': () =>
        (globalThis as unknown as { fetchLater: (u: string, o: object) => unknown }).fetchLater(secure, {
          activateAfter: 0,
        }),
      beacon: () => navigator.sendBeacon(url, 'x'),
      xhr: () =>
        new Promise((resolve) => {
          const request = new XMLHttpRequest()
          request.onloadend = () => resolve(request.status)
          request.open('GET', url)
          request.send()
        }),
      socket: () => heard(new WebSocket(`ws://${host}/x`), 'open'),
      'secure socket': () => heard(new WebSocket(`wss://${host}/x`), 'open'),
      'event source': () => heard(new EventSource(url), 'open'),
      'web transport': () => new (loose['WebTransport'] as Loose[string])(secure)['ready'],
      image: () => {
        const image = new Image()
        const end = heard(image, 'load')
        image.src = url
        return end
      },
      script: head('script', { src: url }),
      module: () => import(/* @vite-ignore */ url),
      worker: () => heard(new Worker(url), 'message'),
      'worker from a blob': () => {
        const source = `fetch(${JSON.stringify(url)}).then(() => postMessage('x'), () => postMessage('x'))`
        return heard(new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))), 'message')
      },
      'shared worker': () => heard(new SharedWorker(url), 'message'),
      'service worker': () => navigator.serviceWorker.register(url),
      worklet: () => new AudioContext().audioWorklet.addModule(url),
      'style sheet': head('link', { rel: 'stylesheet', href: url }),
      icon: head('link', { rel: 'icon', href: url }),
      manifest: head('link', { rel: 'manifest', href: url }),
      'dns-prefetch': head('link', { rel: 'dns-prefetch', href: `//${host}` }),
      preconnect: head('link', { rel: 'preconnect', href: url }),
      'preconnect, crossorigin': head('link', { rel: 'preconnect', href: secure, crossorigin: '' }),
      prefetch: head('link', { rel: 'prefetch', href: url }),
      prerender: head('link', { rel: 'prerender', href: url }),
      preload: head('link', { rel: 'preload', href: url, as: 'font', crossorigin: '' }),
      modulepreload: head('link', { rel: 'modulepreload', href: url }),
      dictionary: head('link', { rel: 'compression-dictionary', href: url }),
      'dns control': head('meta', { 'http-equiv': 'x-dns-prefetch-control', content: 'on' }),
      refresh: head('meta', { 'http-equiv': 'refresh', content: `0;url=${url}` }),
      'speculation rules': () => {
        const script = document.createElement('script')
        script.type = 'speculationrules'
        script.textContent = JSON.stringify({ prefetch: [{ source: 'list', urls: [secure] }] })
        document.head.append(script)
      },
      css: put(`<style>@import url(${url}); @font-face { font-family: far; src: url(${url}) }
        .far { font-family: far; background: url(${url}); cursor: url(${url}), auto }</style><p class="far">x</p>`),
      frames: put(`<iframe src="${url}"></iframe><iframe srcdoc="<img src='${url}'>"></iframe>
        <object data="${url}"></object><embed src="${url}">`),
      media: put(
        `<video src="${url}" poster="${url}"></video><audio src="${url}"></audio><svg><image href="${url}"/></svg>`,
      ),
      ping: () => {
        const link = document.createElement('a')
        link.href = '#'
        link.setAttribute('ping', url)
        link.click()
      },
      link: () => {
        const link = document.createElement('a')
        link.href = url
        link.click()
      },
      download: () => {
        const link = document.createElement('a')
        link.href = url
        link.download = 'x'
        document.body.append(link)
        link.click()
      },
      form: () => {
        const form = document.createElement('form')
        form.action = url
        form.method = 'post'
        document.body.append(form)
        form.submit()
      },
      window: () => window.open(url),
      navigation: () => {
        location.href = url
      },
      'named frame': () => window.open(url, 'far', 'noopener'),
      handler: () => navigator.registerProtocolHandler('web+far', `${secure}?%s`),
      payment: () =>
        new (loose['PaymentRequest'] as Loose[string])([{ supportedMethods: secure }], {
          total: { label: 'x', amount: { currency: 'EUR', value: '1' } },
        })['canMakePayment']?.(),
      identity: () =>
        navigator.credentials.get({ identity: { providers: [{ configURL: secure, clientId: 'x' }] } } as object),
      cast: () => new (loose['PresentationRequest'] as Loose[string])(secure)['getAvailability']?.(),
      'call, STUN and TURN': async () => {
        const servers = [
          { urls: `stun:${host}` },
          ...['udp', 'tcp'].map((transport) => ({
            urls: `turn:${host}?transport=${transport}`,
            username: 'u',
            credential: 'c',
          })),
        ]
        const found: string[] = []
        for (const iceTransportPolicy of ['all', 'relay'] as const) {
          const call = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy })
          call.onicecandidate = ({ candidate }) => candidate && found.push(candidate.candidate)
          call.createDataChannel('x')
          await call.setLocalDescription(await call.createOffer())
          await new Promise((resolve) => setTimeout(resolve, 1000))
          call.close()
        }
        return `${found.length} candidates`
      },
    }
    for (const [way, run] of Object.entries(ways))
      work.push(attempt(`${way}: ${host === name ? 'name' : 'address'}`, run))
  }
  const once: Record<string, () => unknown> = {
    certificate: () =>
      (loose['RTCPeerConnection'] as unknown as typeof RTCPeerConnection).generateCertificate({
        name: 'ECDSA',
        namedCurve: 'P-256',
      } as EcKeyGenParams),
    place: () =>
      new Promise((resolve) =>
        navigator.geolocation.getCurrentPosition(
          () => resolve('found'),
          ({ code }) => resolve(`refused ${code}`),
        ),
      ),
    camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
    screen: () => navigator.mediaDevices.getDisplayMedia(),
    devices: async () => (await navigator.mediaDevices.enumerateDevices()).every(({ label }) => label === ''),
    bluetooth: () => device['bluetooth']?.['requestDevice']?.({ acceptAllDevices: true }),
    usb: () => device['usb']?.['requestDevice']?.({ filters: [] }),
    serial: () => device['serial']?.['requestPort']?.(),
    hid: () => device['hid']?.['requestDevice']?.({ filters: [] }),
    midi: () => hands['requestMIDIAccess']?.({ sysex: true }),
    share: () => navigator.share({ url: 'https://example.org' }),
    notification: () => Notification.requestPermission(),
    speech: () => speechSynthesis.speak(new SpeechSynthesisUtterance('x')),
    voices: () => speechSynthesis.getVoices().length,
    hearing: () => new (loose['webkitSpeechRecognition'] as Loose[string])()['start']?.(),
    key: () => navigator.credentials.get({ publicKey: { challenge: new Uint8Array(8) } }),
    spelling: () => {
      const field = document.createElement('textarea')
      field.spellcheck = true
      field.value = 'speling misstake'
      document.body.append(field)
      field.focus()
    },
    persist: () => navigator.storage.persist(),
    ads: () => hands['joinAdInterestGroup']?.({ owner: 'https://example.org', name: 'x' }, 1),
    topics: () => (document as unknown as Record<string, () => unknown>)['browsingTopics']?.(),
  }
  for (const [way, run] of Object.entries(once)) work.push(attempt(way, run))
  await Promise.all(work)
  return outcomes
}

/** Calls out of an empty frame, whose names are its own. @returns how many addresses it would offer to the other side */
export async function callFromFrame({ tcp }: { tcp: string }): Promise<number> {
  const frame = document.createElement('iframe')
  document.body.append(frame)
  const { RTCPeerConnection: Call } = frame.contentWindow as unknown as typeof globalThis
  const credentials = { username: 'u', credential: 'c' }
  let offered = 0
  for (const iceTransportPolicy of ['all', 'relay'] as const) {
    const turn = ['udp', 'tcp'].map((transport) => ({ urls: `turn:${tcp}?transport=${transport}`, ...credentials }))
    const call = new Call({ iceServers: [{ urls: `stun:${tcp}` }, ...turn], iceTransportPolicy })
    call.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) offered++
    }
    call.createDataChannel('x')
    await call.setLocalDescription(await call.createOffer())
    await new Promise((resolve) => setTimeout(resolve, 2000))
    call.close()
  }
  return offered
}
