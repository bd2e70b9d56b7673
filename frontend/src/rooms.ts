import type { Component } from 'svelte'
import type { Catalog } from './catalog'
import type { PageRoute } from './route'
import type { Site } from './site.svelte'

/** What the component of a room is given; `route` changes when the address does, without a new component. */
export interface RoomProps {
  site: Site
  route: PageRoute
}

type Loading = () => Promise<{ default: Component<RoomProps> }>

/** A room of the viewer, which its own key of the address leads to: `#KEY=VALUE&...`. */
export interface Room {
  key: string
  name: string // in the bar and in the title
  /** Where the bar leads to; null where the study has nothing for this room. */
  href: (catalog: Catalog) => string | null
  page: Loading
  bar?: Loading // what stands in the bar beside the rooms
}

/** The rooms by the order in which their keys are looked for. Their programs are fetched when they are first entered. */
export const ROOMS: readonly Room[] = [
  {
    key: 'pages',
    name: 'Contents',
    href: ({ pages, live, atlases }) => (pages.length > 0 || live || atlases.length > 1 ? '#pages=' : null),
    page: () => import('./rooms/PagesRoom.svelte'),
  },
  { key: 'side', name: 'Side by side', href: sideHref, page: () => import('./rooms/SideRoom.svelte') },
  { key: 'image', name: 'Image', href: pageHref('image'), page: () => import('./rooms/ImageRoom.svelte') },
  {
    key: 'patch',
    name: 'Patches',
    href: (catalog) => pageHref('patch')(catalog) ?? (catalog.live ? '#patch=' : null),
    page: () => import('./rooms/PatchRoom.svelte'),
  },
  { key: 'histogram', name: 'Histogram', href: pageHref('histogram'), page: () => import('./rooms/HistogramRoom.svelte') },
  { key: 'networks', name: 'Two networks', href: pageHref('networks'), page: () => import('./rooms/NetworksRoom.svelte') },
  { key: 'paint', name: 'Paint', href: ({ live }) => (live ? '#paint=' : null), page: () => import('./rooms/PaintRoom.svelte') },
  { key: 'query', name: 'Query', href: ({ live }) => (live ? '#query=' : null), page: () => import('./rooms/QueryRoom.svelte') },
  // Last: other rooms have a class among their parameters.
  {
    key: 'class',
    name: 'One class',
    href: ({ atlases }) => (atlases.filter(({ kind }) => kind === 'layer').length > 1 ? '#class=' : null),
    page: () => import('./rooms/ClassRoom.svelte'),
  },
]

/** The first of the study's pages of a kind; the contents list the others. */
function pageHref(kind: string): Room['href'] {
  return ({ pages }) => {
    const first = pages.find((page) => page.kind === kind)
    return first ? `#${kind}=${encodeURIComponent(first.name)}` : null
  }
}

/** Atlases that share a plane, or else the first layers. */
function sideHref({ atlases }: Catalog): string | null {
  const layers = atlases.filter(({ kind }) => kind === 'layer')
  const plane = atlases.find(({ aligned }) => aligned && atlases.filter((other) => other.aligned === aligned).length > 1)?.aligned
  const beside = plane ? atlases.filter(({ aligned }) => aligned === plane) : layers
  return beside.length > 1 ? `#side=${beside.slice(0, 4).map(({ name }) => encodeURIComponent(name)).join(',')}` : null
}

export function roomOf(key: string): Room | null {
  return ROOMS.find((room) => room.key === key) ?? null
}
