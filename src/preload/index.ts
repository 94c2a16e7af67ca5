// The typed bridge `window.studio`: passes the contract's channels and events, and nothing else.
import { contextBridge, ipcRenderer, webUtils } from 'electron'
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

contextBridge.exposeInMainWorld('studio', bridge)
