/** Something of the study could not be fetched; the message is meant for the reader of the page. */
export class ResourceError extends Error {}

/** What to tell the reader of something that went wrong. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A path of the study as an address: names of files may hold signs that mean something in addresses. */
export function addressOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

/** The folder that a file lies in, with its slash. */
export function folderOf(url: string): string {
  return url.slice(0, url.lastIndexOf('/') + 1)
}

/** Raise an error if a file has a newer format than this page reads. */
export function refuseNewer(url: string, format: unknown, newest: number): void {
  if (typeof format === 'number' && format > newest) {
    throw new ResourceError(`${url} was written by a newer version of Pellucid than this page.`)
  }
}

async function fetched(url: string): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url)
  } catch {
    throw new ResourceError(`${url} could not be read: the server does not answer. Is it still running?`)
  }
  if (!response.ok) throw new ResourceError(`${url} could not be read: the server answered ${response.status}.`)
  return response
}

export async function fetchJson<T>(url: string): Promise<T> {
  const response = await fetched(url)
  try {
    return (await response.json()) as T
  } catch {
    throw new ResourceError(`${url} is damaged: it holds no JSON.`)
  }
}

export async function fetchBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetched(url)
  try {
    return await response.arrayBuffer()
  } catch {
    throw new ResourceError(`${url} could not be read: the connection was cut.`)
  }
}

/** A picture, made `reduction` times smaller as it is read. */
export async function fetchPicture(url: string, reduction = 1): Promise<ImageBitmap> {
  const response = await fetched(url)
  try {
    const blob = await response.blob()
    if (reduction === 1) return await createImageBitmap(blob)
    const whole = await createImageBitmap(blob)
    const [resizeWidth, resizeHeight] = [whole.width / reduction, whole.height / reduction].map(Math.round)
    const small = await createImageBitmap(whole, { resizeWidth, resizeHeight, resizeQuality: 'high' })
    whole.close()
    return small
  } catch {
    throw new ResourceError(`${url} is damaged: it holds no picture that this browser can read.`)
  }
}
