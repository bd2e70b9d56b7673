/** A line for a shell: words that a shell would take apart are quoted. */
export function commandLine(...words: string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}
