/** The types that several scripts of the extension share. */

/** A part of what a tab shows, in pixels of CSS; viewport: how many of them it is wide. */
interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
  viewport: number;
}

/**
 * What to search with. kind: the picture that was clicked, the element or the area that was chosen, or all that the tab
 * shows; element: Firefox's number of what was clicked; area: null for all.
 */
interface Job {
  tab: number;
  window: number;
  frame: number;
  kind: 'clicked' | 'element' | 'area' | 'screen';
  url: string;
  element: number | null;
  area: Area | null;
}

/** What choose.js says. */
interface Chosen {
  kind: 'element' | 'area';
  area: Area | null;
}

/** What in_page.js found. picture: as a data URL; area: where the screen shows it. */
interface Taken {
  picture: string | null;
  url: string;
  area: Area | null;
}

/** The server that the extension is paired with. */
interface Paired {
  server: string;
  token: string;
  id: string;
}

interface Pictures {
  take: (job: Job) => Promise<Taken>;
  shrunk: (picture: Blob) => Promise<Blob>;
  painted: (source: CanvasImageSource, width: number, height: number, type: string) => Promise<Blob>;
  isPicture: (element: Element) => boolean;
  areaOf: (element: Element) => Area;
  shadowOf: (element: Element) => ShadowRoot | null;
  ofDocument: (name: string, ...parameters: unknown[]) => unknown;
  setChosen: (element: Element) => void;
}

declare var bofPictures: Pictures;
declare var bofChoosing: boolean | undefined;
