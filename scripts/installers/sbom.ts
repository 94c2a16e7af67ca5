// The bill of materials of an installer, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): every package with
// its version, licence and hash, so that an administrator can hold it against lists of known faults.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packagesInApp } from './licences.ts'
import type { System } from './packageFiles.ts'

interface Component {
  readonly type: 'library' | 'framework' | 'application'
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly licenses?: readonly { readonly expression: string }[]
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[]
}

/** @param runtimes that are no packages of the app: Electron and Node; @param timeS of the commit, seconds since 1970 */
export function billOfMaterials(
  root: string,
  target: System,
  runtimes: readonly { readonly name: string; readonly version: string }[],
  timeS: number,
) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const packages = packagesInApp(root, target).map((one): Component => {
    const purl = purlOf(one.name, one.version)
    return {
      ...{ type: 'library', 'bom-ref': purl, name: one.name, version: one.version, purl },
      licenses: [{ expression: one.licence }],
      ...(one.integrity && { hashes: [{ alg: 'SHA-512', content: hexOf(one.integrity) }] }),
    }
  })
  const unique = [...new Map(packages.map((one) => [one.purl, one])).values()]
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(timeS * 1000).toISOString().replace('.000', ''),
      component: {
        ...{ type: 'application', 'bom-ref': name, name, version, purl: purlOf(name, version) },
        licenses: [{ expression: license }],
      } satisfies Component,
    },
    components: [
      ...runtimes.map((one): Component => {
        const purl = purlOf(one.name, one.version)
        return { type: 'framework', 'bom-ref': purl, name: one.name, version: one.version, purl }
      }),
      ...unique,
    ],
  } as const
}

function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

/** `sha512-<base64>` as hexadecimal digits. */
function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex')
}
