import { pictureUrl, type Example, type State, type Study } from './contract'
import { escaped, page as screen, paragraphs } from './markup'
import { KEYS, MORE_CONFIDENT, wordsOf } from './words'

/** The pages that explain the question, with pictures of this experiment's own units where it has some for that. */
export function instructionPages(study: Study, state: State): string[] {
  const [first, ...others] = state.instruction ?? []
  const pages = [welcome(study, state), ...favorites(state, first)]
  if (study.task === 'counterfactual') pages.push(patches(first))
  pages.push(question(study, state, first), sureness())
  for (const example of [...(first ? [first] : []), ...others]) pages.push(solved(study, state, example))
  return [...pages, before(state)]
}

/** A page as high as the others, so that the buttons below stay where they are. */
function page(heading: string, html: string, wide = ''): string {
  return screen(heading, html, `step ${wide}`)
}

function welcome(study: Study, state: State): string {
  const total = state.progress.total
  return page(study.title, [
    paragraphs([
      'A machine can learn to see. Inside it are many small parts, and each part favors something of its own: some images it ' +
        'favors strongly, others leave it cold. In what follows, “the machine” is one such part.',
      state.references
        ? 'You will see images that a machine favors, find out what it looks for, and tell which of two images it favors more.'
        : 'You will see images and tell which of two a machine favors more.',
    ]),
    `<p>There ${total === 1 ? 'is 1 question' : `are ${total} questions`}. Each is about another machine.</p>`,
  ].join(''))
}

function favorites(state: State, example: Example | undefined): string[] {
  if (!state.references) {
    return [page('What the machine favors', paragraphs(['You are not told what the machine looks for: go by what you see.']))]
  }
  const words = wordsOf(state)
  const text = paragraphs([
    'These are some of the favorite images of one machine. What do they have in common? It may be a thing, a part of one, a ' +
      'shape, a texture or a color.',
    'Some images may look unusual: they were made by a computer, or are sharp in one place alone. The machine favors them all the same.',
  ])
  const least =
    state.minimal && example?.minimal.length
      ? [page(words.minimal, paragraphs(['And these leave the same machine cold. The difference tells what it looks for.']) + grid(example.minimal), 'wide')]
      : []
  return [page(words.references, text + grid(example?.references ?? []), 'wide'), ...least]
}

function patches(example: Example | undefined): string {
  const text = paragraphs([
    'Here is one more image that the machine favors. We made two copies of it, and covered a square of each, in different places.',
    'Where the square hides what the machine looks for, the machine favors the copy less. Where it hides something else, the ' +
      'machine hardly minds.',
  ])
  return page('The covered square', text + row([['The image', example?.base], ['One copy', example?.left], ['The other copy', example?.right]]), 'wide')
}

function question(study: Study, state: State, example: Example | undefined): string {
  const words = wordsOf(state)
  const covered = study.task === 'counterfactual'
  const look = state.references ? 'Ask yourself what the favorite images have in common' : 'Ask yourself what a machine may look for'
  const how = `${look}, and ${covered ? 'in which of the two more of it can be seen' : 'which of the two has more of it'}.`
  const text = paragraphs([`The question is always the same: which of two images does the machine favor more? ${how}`])
  return page(words.question, text + row([['Left', example?.left], ['Right', example?.right]]), 'wide')
}

function sureness(): string {
  const buttons = [3, 2, 1, 1, 2, 3].map((sure, at) => `${at === 3 ? '<span class="gap"></span>' : ''}<span class="sure">${sure}</span>`)
  return page(
    'How sure are you?',
    paragraphs(['Below each image there are three buttons. One press says both: which image, and how sure you are.']) +
      `<div class="sures" role="img" aria-label="Two rows of buttons: 3, 2, 1 below the left image, and 1, 2, 3 below the right one">` +
      `<span>← ${MORE_CONFIDENT}</span><span class="six">${buttons.join('')}</span><span>${MORE_CONFIDENT} →</span></div>` +
      paragraphs(['1 means not sure, 2 rather sure, 3 very sure. There is no time limit.', KEYS]),
  )
}

function solved(study: Study, state: State, example: Example): string {
  const side = example.larger
  const why =
    study.task === 'counterfactual'
      ? `Here the machine favors the ${side} image more: the square on the other one hides more of what it looks for.`
      : `Here the machine favors the ${side} image more.`
  const mark = (one: string) => (one === side ? 'Favored more' : 'Favored less')
  const images = row([
    ...(example.base ? [['The image', example.base, ''] as Captioned] : []),
    [mark('left'), example.left, side === 'left' ? 'framed' : ''],
    [mark('right'), example.right, side === 'right' ? 'framed' : ''],
  ])
  const shown = state.references ? `<div class="beside">${grid(example.references, 'small')}${images}</div>` : images
  return page('An example', `<p>${escaped(why)}</p>${shown}`, 'wide')
}

function before(state: State): string {
  return page('Before you start', [
    paragraphs([
      ...(state.references
        ? ['You may first get some questions to practice with. There you are told whether you were right, and practice goes on until all answers of a round are.']
        : []),
      'Please answer by yourself, without a break, and stay on this page: we notice when it is left. If something goes wrong, load ' +
        'the page again: it goes on where you were.',
    ]),
  ].join(''))
}

type Captioned = [caption: string, id: string | null | undefined, className?: string]

function row(images: Captioned[]): string {
  const found = images.filter((one): one is [string, string, string?] => Boolean(one[1]))
  const figures = found.map(
    ([caption, id, className = '']) =>
      `<figure class="${className}"><img src="${pictureUrl(id)}" alt="" /><figcaption>${escaped(caption)}</figcaption></figure>`,
  )
  return found.length > 0 ? `<div class="row">${figures.join('')}</div>` : ''
}

function grid(ids: readonly string[], className = ''): string {
  const images = ids.map((id, at) => `<img src="${pictureUrl(id)}" alt="favorite image ${at + 1}" />`)
  return ids.length > 0 ? `<div class="examples ${className}" data-columns="${columns(ids.length)}">${images.join('')}</div>` : ''
}

/** How many columns the grid of so many pictures has: as nearly a square as they fill. */
export function columns(count: number): number {
  return Math.min(5, Math.ceil(Math.sqrt(count)))
}
