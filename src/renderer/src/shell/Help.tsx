// What `?` shows: every key by the place where it works, and every term with its formula.
import { Kbd, Tabs } from '@mantine/core'
import type { ReactNode } from 'react'
import { accelWords, keysOf, type ShortcutName, shortcutPlaces, shortcuts } from '../../../shared/shortcuts.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { type Term, terms } from '../ui/terms.ts'
import css from './Help.module.css'
import { onMac } from './onMac.ts'

export function Help({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Dialog onClose={onClose} size={640} title="Help">
      <Tabs defaultValue="keys">
        <Tabs.List>
          <Tabs.Tab value="keys">Keys</Tabs.Tab>
          <Tabs.Tab value="terms">Terms</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="keys" pt="md">
          {shortcutPlaces.map((place) => (
            <section key={place} aria-label={place} className={css.place}>
              <h3>{place}</h3>
              <dl className={css.keys}>
                {namesAt(place).map((name) => (
                  <div key={name}>
                    <dt>{shortcuts[name].label}</dt>
                    <dd>
                      {keysOf(name, onMac).map((keys) => (
                        <Kbd key={keys}>{accelWords(keys, onMac)}</Kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </Tabs.Panel>
        <Tabs.Panel value="terms" pt="md">
          <dl className={css.terms}>
            {allTerms.map(({ name, sentence, formula }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  {sentence}
                  {formula !== null && <code>{formula}</code>}
                </dd>
              </div>
            ))}
          </dl>
        </Tabs.Panel>
      </Tabs>
    </Dialog>
  )
}

const allTerms: readonly Term[] = Object.values(terms).toSorted((a, b) => a.name.localeCompare(b.name))

function namesAt(place: (typeof shortcutPlaces)[number]): ShortcutName[] {
  return (Object.keys(shortcuts) as ShortcutName[]).filter((name) => shortcuts[name].place === place)
}
