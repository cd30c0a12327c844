// @ts-check
// Takes the bytes of a picture where it is shown, with what its reader may see: runs in the page's frame, in the
// extension's own world, and in take.html. The page's scripts cannot reach it; its document may hold anything.

// eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may run twice in a page
globalThis.bofPictures ??= (() => {
  const MAX_BYTES = 8 << 20;
  const MAX_SIDE = 2048;

  /**
   * A property of the document itself: `<img name="querySelectorAll">` would hide it otherwise.
   * @param {string} name @param {unknown[]} parameters
   */
  function ofDocument(name, ...parameters) {
    const value = /** @type {unknown} */ (Reflect.get(Document.prototype, name, document));
    return typeof value === 'function' ? /** @type {unknown} */ (Reflect.apply(value, document, parameters)) : value;
  }

  /** @param {CanvasImageSource} source @param {number} width @param {number} height @param {string} type */
  async function painted(source, width, height, type) {
    const scale = Math.min(1, MAX_SIDE / Math.max(width, height, 1));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    canvas.getContext('2d')?.drawImage(source, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type, quality: 0.92 });
  }

  /** A picture as small as the engine needs it; a small file as it is. @param {Blob} picture */
  async function shrunk(picture) {
    if (picture.size <= MAX_BYTES) return picture;
    const bitmap = await createImageBitmap(picture);
    try {
      return await painted(bitmap, bitmap.width, bitmap.height, 'image/jpeg');
    } finally {
      bitmap.close();
    }
  }

  /** Bytes of an address as this frame may fetch them, first those that it has shown. @param {string} url */
  async function fetched(url) {
    /** @type {RequestInit[]} */
    const ways = [{ credentials: 'include', cache: 'force-cache' }, { credentials: 'same-origin', cache: 'no-cache' }];
    for (const way of ways) {
      try {
        const response = await fetch(url, way);
        const picture = await response.blob();
        if (response.ok && picture.size && !picture.type.startsWith('text/')) return await shrunk(picture);
      } catch { /* another site that does not let this page read, or an address that is gone */ }
    }
    return null;
  }

  /** @param {Element} element */
  const isPixels = (element) => element instanceof HTMLImageElement || element instanceof HTMLCanvasElement
    || element instanceof HTMLVideoElement;

  /** What an element shows, unless it is of another site. @param {Element} element */
  async function pixelsOf(element) {
    try {
      if (element instanceof HTMLImageElement) {
        return await painted(element, element.naturalWidth, element.naturalHeight, 'image/png');
      }
      if (element instanceof HTMLVideoElement) {
        return await painted(element, element.videoWidth, element.videoHeight, 'image/png');
      }
      if (element instanceof HTMLCanvasElement) {
        return await painted(element, element.width, element.height, 'image/png');
      }
    } catch { /* tainted */ }
    return null;
  }

  /** Addresses of background pictures. @param {Element} element */
  function backgroundsOf(element) {
    const { backgroundImage } = getComputedStyle(element);
    return [...backgroundImage.matchAll(/url\("((?:[^"\\]|\\.)*)"\)/g)].map(([, url]) =>
      (url ?? '').replaceAll(/\\(.)/g, '$1'));
  }

  /** The address of what an element shows; empty where it has none. @param {Element} element @returns {string} */
  function addressOf(element) {
    if (element instanceof HTMLImageElement) return element.currentSrc || element.src;
    if (element instanceof HTMLInputElement) return element.type === 'image' ? element.src : '';
    if (element instanceof SVGImageElement) return new URL(element.href.baseVal, location.href).href;
    return element instanceof HTMLVideoElement ? '' : backgroundsOf(element)[0] ?? '';
  }

  /** Is there a picture in it that can be taken? @param {Element} element */
  const isPicture = (element) => isPixels(element) || addressOf(element) !== '';

  /** @param {Element} element @returns {ShadowRoot | null} */
  const shadowOf = (element) =>
    element instanceof HTMLElement && 'dom' in chrome
      ? chrome.dom.openOrClosedShadowRoot(element) : element.shadowRoot;

  /** All elements below, those in shadow trees too. @param {ParentNode} root @returns {Iterable<Element>} */
  function* elementsBelow(root) {
    const found = root instanceof Document ? ofDocument('querySelectorAll', '*') : root.querySelectorAll('*');
    for (const element of /** @type {NodeListOf<Element>} */ (found)) {
      yield element;
      const shadow = shadowOf(element);
      if (shadow) yield* elementsBelow(shadow);
    }
  }

  /** @param {Element} element @returns {Area} */
  function areaOf(element) {
    const { left, top, right, bottom } = Element.prototype.getBoundingClientRect.call(element);
    const [x0, y0] = [Math.max(0, left), Math.max(0, top)];
    const size = { width: Math.min(innerWidth, right) - x0, height: Math.min(innerHeight, bottom) - y0 };
    return { x: x0, y: y0, ...size, viewport: innerWidth };
  }

  /** The element that was clicked: Firefox says which, elsewhere it is one that shows the address. @param {Job} job */
  function clickedElement({ url, element }) {
    /** @type {{ getTargetElement?: (id: number) => Element | null } | undefined} */
    const menus = /** @type {any} */ (chrome).menus ?? chrome.contextMenus;
    const exact = element === null ? null : menus?.getTargetElement?.(element);
    if (exact) return exact;
    const shown = [...elementsBelow(document)].filter((each) => addressOf(each) === url);
    return shown.find((each) => areaOf(each).width > 0 && areaOf(each).height > 0) ?? shown[0] ?? null;
  }

  /** @param {Blob} blob @returns {Promise<string>} */
  const asText = (blob) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(new Error('unreadable'));
    reader.readAsDataURL(blob);
  });

  /** Where the screen shows an element; frames do not know where they are. @param {Element | null} element */
  function shownArea(element) {
    const area = element && window === top ? areaOf(element) : null;
    return area && area.width >= 1 && area.height >= 1 ? area : null;
  }

  /** The picture that a job means, as this page may read it. @param {Job} job @returns {Promise<Taken>} */
  async function take(job) {
    const element = job.kind === 'element' ? chosen : clickedElement(job);
    const url = job.url || (element ? addressOf(element) : '');
    const picture = (url ? await fetched(url) : null) ?? (element ? await pixelsOf(element) : null);
    return { picture: picture && await asText(picture), url, area: shownArea(element) };
  }

  /** What the reader has chosen with choose.js. @type {Element | null} */
  let chosen = null;

  return {
    take, shrunk, painted, isPicture, areaOf, shadowOf, ofDocument,
    /** @param {Element} element */
    setChosen: (element) => {
      chosen = element;
    },
  };
})();
