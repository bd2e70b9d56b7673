import { samePick, type Pick } from '../route'

/** Which example's context is shown: the one under the pointer, else the one that the keyboard is at, else the chosen. */
export class Picks {
  hovered = $state.raw<Pick | null>(null)
  focused = $state.raw<Pick | null>(null)
  readonly shown = $derived.by(() => this.hovered ?? this.focused ?? this.chosen)

  constructor(
    private readonly read: () => Pick | null,
    private readonly write: (pick: Pick | null) => void,
  ) {}

  get chosen(): Pick | null {
    return this.read()
  }

  hover(pick: Pick | null): void {
    if (!samePick(pick, this.hovered)) this.hovered = pick
  }

  focus(pick: Pick | null): void {
    if (!samePick(pick, this.focused)) this.focused = pick
  }

  /** Choose an example, or no longer if it is chosen already. */
  choose(pick: Pick | null): void {
    this.write(samePick(pick, this.chosen) ? null : pick)
  }

  clear(): void {
    this.hovered = this.focused = null
    this.write(null)
  }
}
