#!/usr/bin/env node
/** `eventward`: hands the arguments over and ends with the status that comes back. */
import { processIo } from './io.js'
import { run } from './run.js'

process.exitCode = await run(process.argv.slice(2), processIo())
