/** Text as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

export function paragraphs(texts: readonly string[]): string {
  return texts.map((text) => `<p>${escaped(text)}</p>`).join('')
}

/** A screen of text, with a heading. `html` is already HTML. */
export function page(heading: string, html: string, className = ''): string {
  return `<section id="page" class="page ${className}"><h1>${escaped(heading)}</h1>${html}</section>`
}

/** An element with classes, attributes and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className = '',
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  if (className) made.className = className
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  made.append(...children)
  return made
}

/**
 * Make an element drop `style` attributes from the HTML that is put into it.
 *
 * The plugins of jsPsych write some; the page's content security policy would refuse and report each. What they say is in
 * experiment.css.
 */
export function dropStyles(where: HTMLElement): void {
  const inner = Object.getOwnPropertyDescriptor(Element.prototype, 'innerHTML')
  if (!inner?.set || !inner.get || Object.hasOwn(where, 'innerHTML')) return
  const { get, set } = inner
  Object.defineProperty(where, 'innerHTML', {
    configurable: true,
    get: () => get.call(where),
    set: (html: string) => set.call(where, withoutStyles(html)),
  })
}

/** HTML without `style` attributes. */
export function withoutStyles(html: string): string {
  return html.replace(/<[a-z][^<>]*>/gi, (tag) => tag.replace(/(["'\s])style\s*=\s*("[^"]*"|'[^']*')/gi, '$1'))
}
