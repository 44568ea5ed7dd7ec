// Sums vitest's JSON reports and prints `N passed, N failed` as the last line. Fails where something failed, where a
// report is missing (the run died), or where nothing passed.
//
//   node scripts/ci-summary.mjs report-18.json report-15.json
//   OTHER_FAILURES=1 ... adds steps beside the tests (lint, build) that failed.
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

let passed = 0
let failed = Number(process.env.OTHER_FAILURES ?? 0)
let skipped = 0
for (const path of process.argv.slice(2)) {
  const report = read(path)
  if (report === undefined) {
    failed += 1
    console.log(`${path}: no report, counted as one failure`)
    continue
  }
  passed += report.numPassedTests
  failed += report.numFailedTests
  skipped += report.numPendingTests + report.numTodoTests
  let named = report.numFailedTests
  for (const file of report.testResults) {
    const tests = file.assertionResults.filter((test) => test.status === 'failed')
    for (const test of tests) {
      console.log(`failed: ${file.name} > ${test.fullName}, after ${Math.round(test.duration ?? 0)} ms`)
      for (const message of test.failureMessages) console.log(beginning(message))
    }
    // A file that could not be loaded, or whose hook failed, has no failed test of its own.
    if (file.status === 'failed' && tests.length === 0) {
      failed += 1
      named += 1
      console.log(`failed: ${file.name}: ${file.message}`)
    }
  }
  // An error outside of any test, an unhandled rejection for one, fails the run as well.
  if (!report.success && named === 0) {
    failed += 1
    console.log(`${path}: the run failed outside of its tests`)
  }
}
if (skipped > 0) console.log(`${skipped} skipped`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

/** What failed and where; without colours, and without what fills a screen. */
function beginning(message) {
  return stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => !line.includes('node_modules'))
    .slice(0, 25)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join('\n')
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
