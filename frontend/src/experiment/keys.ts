/** Which button a key goes to, and whether it presses it; `buttons` are the six from left to right. */
export function keyTarget<B extends { dataset: DOMStringMap }>(
  { key, repeat, altKey, ctrlKey, metaKey }: Pick<KeyboardEvent, 'key' | 'repeat' | 'altKey' | 'ctrlKey' | 'metaKey'>,
  buttons: readonly B[],
  focused: unknown,
): { button: B; press: boolean } | null {
  if (repeat || altKey || ctrlKey || metaKey) return null
  const at = buttons.indexOf(focused as B)
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const step = key === 'ArrowRight' ? 1 : -1
    const to = at < 0 ? (step < 0 ? 2 : 3) : Math.min(Math.max(at + step, 0), buttons.length - 1)
    return { button: buttons[to]!, press: false }
  }
  const side = buttons[at]?.dataset['side']
  const button = buttons.find(({ dataset }) => dataset['side'] === side && dataset['sure'] === key)
  return side && button ? { button, press: true } : null
}
