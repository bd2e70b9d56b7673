/** Something of the study could not be fetched; the message is meant for the reader of the page. */
export class ResourceError extends Error {}

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

export async function fetchPicture(url: string): Promise<ImageBitmap> {
  const response = await fetched(url)
  try {
    return await createImageBitmap(await response.blob())
  } catch {
    throw new ResourceError(`${url} is damaged: it holds no picture that this browser can read.`)
  }
}
