/** Tells elements of a scrolled box when they come near to being seen and when they are far again. */
export class Sight {
  private readonly listeners = new Map<Element, (near: boolean) => void>()
  private readonly observer: IntersectionObserver

  constructor(box: Element) {
    const tell = (entries: IntersectionObserverEntry[]) => {
      for (const { target, isIntersecting } of entries) this.listeners.get(target)?.(isIntersecting)
    }
    this.observer = new IntersectionObserver(tell, { root: box, rootMargin: '50% 0px' })
  }

  /** Begin to watch an element. Returns how to end it. */
  watch(element: Element, listener: (near: boolean) => void): () => void {
    this.listeners.set(element, listener)
    this.observer.observe(element)
    return () => {
      this.listeners.delete(element)
      this.observer.unobserve(element)
    }
  }

  end(): void {
    this.observer.disconnect()
  }
}
