// A zip file with one file in it, stored as it is, for tests. Format: APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12, 4.3.16.
import { crc32 } from 'node:zlib'

export function wheelBytes(name: string, content: Buffer): Buffer {
  const path = Buffer.from(name)
  // Version 2.0, no flags, method 0, no time; then CRC, both sizes and the lengths of name and extra field.
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20)
  common.writeUInt32LE(crc32(content), 10)
  common.writeUInt32LE(content.length, 14)
  common.writeUInt32LE(content.length, 18)
  common.writeUInt16LE(path.length, 22)
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, path, content])
  // Made by version 2.0; behind the common part comment, disk, attributes and offset, all 0.
  const central = Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, Buffer.alloc(14), path])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, Buffer.from('PK\u0005\u0006'), end])
}
