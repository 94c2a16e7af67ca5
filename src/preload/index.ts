// The typed bridge `window.studio`: passes the contract's channels and events, and nothing else. Before any script of
// the page, it takes away what opens sockets past the page's policy.
import { contextBridge, ipcRenderer, webFrame, webUtils } from 'electron'
import { channels, events, type StudioBridge } from '../shared/contract.ts'

const bridge: StudioBridge = {
  request: (channel, params) => {
    if (!Object.hasOwn(channels, channel)) return Promise.reject(new Error(`no channel ${channel}`))
    return ipcRenderer.invoke(channel, params)
  },
  subscribe: (event, listener) => {
    if (!Object.hasOwn(events, event)) throw new Error(`no event ${event}`)
    const schema = events[event]
    const forward = (_event: unknown, payload: unknown): void => {
      listener(schema.parse(payload) as Parameters<typeof listener>[0])
    }
    ipcRenderer.on(event, forward)
    return () => ipcRenderer.off(event, forward)
  },
  pathOfDropped: (file) => webUtils.getPathForFile(file),
}

// Calls between browsers send packets past `webRequest` and past the content security policy. Main forbids them to
// send anything; without these names the page cannot even open a socket.
const calls = ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel', 'RTCIceTransport', 'RTCCertificate']
void webFrame.executeJavaScript(`for (const name of ${JSON.stringify(calls)}) delete globalThis[name]`)

contextBridge.exposeInMainWorld('studio', bridge)
