/** What stands for the cells on the map. */
export const SHOWS = ['icons', 'patches', 'points'] as const
export type Shows = (typeof SHOWS)[number]
