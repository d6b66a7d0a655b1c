/** What specs must leave alone: the files of the checkout in which they run. */
import { spawnSync } from 'node:child_process'

/**
 * A line for each file that differs from the last commit or is not in it, as `git status --porcelain` writes it;
 * files that .gitignore names (build/, dist/ ...) do not count. Empty where there is no git or no checkout.
 */
export function changedFiles(directory = '.'): readonly string[] {
  // No lock: somebody may use git here meanwhile.
  const args = ['--no-optional-locks', '-C', directory, 'status', '--porcelain', '-uall']
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n').filter((line) => line !== '') : []
}

/** The lines that are not in both. */
export function differences(before: readonly string[], now: readonly string[]): readonly string[] {
  return [
    ...now.filter((line) => !before.includes(line)),
    ...before.filter((line) => !now.includes(line)).map((line) => `${line} (no longer)`),
  ]
}
