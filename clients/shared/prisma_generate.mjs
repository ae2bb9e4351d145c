// `prisma generate` and the compilation of what it writes, as an application's build does it. Gives the client's module.
//
// Both stay in clients/generated. Prisma's command line wants the file of its schema engine to be there, or fetches it from
// binaries.prisma.sh, although generate never runs it (the parser is a WebAssembly module inside the package). Naming any
// file that can be executed makes generate work with what npm brought.

import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const top = fileURLToPath(new URL('..', import.meta.url))
const environment = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' }

async function node(script, ...options) {
  try {
    return (await run(process.execPath, [`${top}node_modules/${script}`, ...options], { cwd: top, env: environment })).stdout
  } catch (error) {
    throw new Error(`${script} ${options[0]}: ${error.stdout}${error.stderr}`)
  }
}

async function generate() {
  await rm(`${top}generated`, { recursive: true, force: true })
  const said = await node('prisma/build/index.js', 'generate', '--schema', 'prisma/schema.prisma')
  await node('typescript/bin/tsc', '--noCheck', '--module', 'nodenext', '--target', 'es2022', '--outDir', 'generated/client', 'generated/source/client.ts')
  return { said, ...(await import('../generated/client/client.js')) }
}

let generated
export const prismaClient = () => (generated ??= generate())
