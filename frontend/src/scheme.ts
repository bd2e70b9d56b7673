/** Call back whenever the reader's scheme turns light or dark; gives what ends that, as `onMount` wants it. */
export function onScheme(change: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', change)
  return () => dark.removeEventListener('change', change)
}
