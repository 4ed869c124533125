/**
 * Asks the server; what it may answer anew is never taken from the browser's cache.
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} an answer that is no error
 */
export async function fetchChecked(url, options) {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
  if (!response.ok) {
    throw new Error((await sentenceOf(response)) || `The server answered with status ${response.status}. Try again.`);
  }
  return response;
}

/**
 * Reads what the server says of an error.
 * @param {Response} response
 * @returns {Promise<string | null>}
 */
async function sentenceOf(response) {
  try {
    return (await response.json()).error;
  } catch {
    return null; // a proxy's page holds no sentence of ours
  }
}
