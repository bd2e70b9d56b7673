/** The numbers of the classes whose names hold some words; those that begin with them come first. */
export function classesNamed(classes: readonly string[], words: string, most: number): number[] {
  const wanted = words.trim().toLowerCase()
  if (!wanted) return []
  const ranked = classes.flatMap((name, index) => {
    const at = name.toLowerCase().indexOf(wanted)
    if (at < 0) return []
    const begins = at === 0 ? 0 : /[a-z0-9]/i.test(name[at - 1]!) ? 2 : 1 // the name, a word of it, the inside of a word
    return [{ index, begins }]
  })
  return ranked
    .sort((a, b) => a.begins - b.begins || a.index - b.index)
    .slice(0, most)
    .map(({ index }) => index)
}
