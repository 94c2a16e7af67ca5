// The catalogue process: answers what the grid asks, apart from the library process, whose imports and page checks take long.
import { catalogueMethods } from '../../shared/workerProtocol.ts'
import { workspaceRecord } from '../db/connection.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { catalogueHandlers } from './catalogue.ts'

serveMethods(catalogueMethods, catalogueHandlers(), parentPort(), workspaceRecord)
