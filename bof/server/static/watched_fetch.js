// @ts-check
// fetch, with word of how much of the body is sent: fetch itself says nothing of that.

/**
 * @param {string | URL} target @param {RequestInit} options @param {OnProgress} onProgress
 * @returns {Promise<Response>}
 */
export const watchedFetch = (target, { method = 'GET', headers, body, signal }, onProgress) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, target);
    new Headers(headers).forEach((value, name) => request.setRequestHeader(name, value));
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      if (lengthComputable) onProgress(loaded / total);
    };
    request.onload = () => {
      const names = ['Content-Type', 'Retry-After'];
      const given = names.map((name) => /** @type {const} */ ([name, request.getResponseHeader(name) ?? '']));
      const known = new Headers();
      for (const [name, value] of given) if (value) known.set(name, value);
      resolve(new Response(request.responseText, { status: request.status, headers: known }));
    };
    request.onerror = () => reject(new TypeError('no answer'));
    request.onabort = () => reject(new DOMException('the request was ended', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());
    request.send(/** @type {XMLHttpRequestBodyInit | null} */ (body ?? null));
  });
