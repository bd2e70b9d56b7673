import type { Site } from '../site.svelte'
import { commandLine } from '../units/command'

/** What to say where nobody draws on demand. */
export function dead(what: string, site: Site): string {
  const study = site.catalog?.study.name ?? 'study'
  return `${what} needs a server with the network at hand. “${commandLine('pellucid', 'serve', study, '--live')}” is one; files that were exported have none.`
}
