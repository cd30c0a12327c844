// Types that several modules of the page share. `Api`, what the server answers, is in api.d.ts: `make check` writes it.

// ---- requests

type Endpoint = keyof Api.Endpoints;

/** A value in an address: null, undefined and '' are left out. */
type Value = string | number | boolean | null | undefined;

/** What a request to an endpoint carries; query: a list is repeated. */
interface RequestOf<E extends Endpoint> {
  path?: Record<Api.Endpoints[E]['path'], string | number>;
  query?: Partial<Record<Api.Endpoints[E]['query'], Value | string[]>>;
  json?: Api.Endpoints[E]['json'];
  body?: Blob | FormData;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/** Is given the share of a body that is sent. */
type OnProgress = (share: number) => void;

/** A picture of the collection in an address. */
interface ImageVersion {
  id: number | string;
  version?: string;
}

// ---- the address and its views

/** The part of an address after `?`. */
type Query = Record<string, string | undefined>;

interface Route {
  view: string;
  parts: string[];
  query: Query;
}

/** A view on the page. key and acceptDrop: return whether they used what they were given. */
interface View {
  update(route: Route): unknown;
  leave?(hash: string): void;
  close?(): void;
  key?(name: string): boolean;
  acceptDrop?(transfer: DataTransfer): boolean;
}

interface ViewModule {
  title(): string;
  show(root: HTMLElement, route: Route): View;
}

// ---- elements

type Child = Node | string | false | null | undefined | Child[];

type AttributeName =
  | 'accept' | 'alt' | 'autocomplete' | 'autofocus' | 'capture' | 'checked' | 'class' | 'controls' | 'decoding' | 'disabled' | 'download' | 'for'
  | 'height' | 'hidden' | 'href' | 'id' | 'lang' | 'list' | 'loading' | 'max' | 'maxlength' | 'min' | 'multiple'
  | 'name' | 'open' | 'placeholder' | 'playsinline' | 'preload' | 'rel' | 'required' | 'role' | 'scope' | 'selected' | 'src' | 'step' | 'tabindex'
  | 'target' | 'title' | 'type' | 'value' | 'webkitdirectory' | 'width'
  | 'd' | 'points' | 'text-anchor' | 'vector-effect' | 'viewBox' | 'x' | 'x1' | 'x2' | 'y' | 'y1' | 'y2'
  | 'preserveAspectRatio'
  | `aria-${string}` | `data-${string}`;

type Listeners<E> = {
  [N in keyof HTMLElementEventMap as `on${N}`]?: (event: HTMLElementEventMap[N] & { currentTarget: E }) => unknown;
};

/** false, null and undefined: the attribute is left out. */
type Attributes<E> = Listeners<E> & { [N in AttributeName]?: Value };

/** A button or link. quiet: it shows its icon alone, and its words as a tooltip. */
type Pressable<E> = Attributes<E> & { icon?: IconName; quiet?: boolean; kind?: string };

type IconName = keyof typeof import('../../bof/server/static/dom.js').PATHS;
type WordKey =
  | keyof typeof import('../../bof/server/static/words.js').ALL
  | keyof typeof import('../../bof/server/static/words_duplicates.js').ALL
  | keyof typeof import('../../bof/server/static/words_many.js').MANY
  | keyof typeof import('../../bof/server/static/words_film.js').FILM
  | keyof typeof import('../../bof/server/static/words_together.js').TOGETHER;
type Language = keyof typeof import('../../bof/server/static/words.js').WORDS;

/** Values for the {names} in a text. */
type Filling = Record<string, string | number>;

// ---- geometry, in pixels

type Point = [x: number, y: number];
type Box = [x0: number, y0: number, x1: number, y1: number];
/** Nine numbers in rows. */
type Homography = [number, number, number, number, number, number, number, number, number];

interface Size {
  width: number;
  height: number;
}

/** Clockwise, in degrees. */
type Turn = 0 | 90 | 180 | 270;

/** How a picture is shown: turned, then mirrored left to right. */
interface Pose {
  turn: Turn;
  flip: boolean;
}

type Bitmap = ImageBitmap | HTMLCanvasElement;

// ---- pictures to search with

/**
 * The reader's own. key: its name by content, or the id of a stored query; file: null where the server alone has it;
 * bitmap: null where the browser cannot decode the file; copy: what is sent in its place, unless `sendsOriginal`;
 * stored: what the server says of it, once it is sent; onProgress: of those who wait for it.
 */
interface OwnPicture extends Size {
  key: string;
  id: null;
  file: File | null;
  name: string;
  bitmap: ImageBitmap | null;
  copy: Blob | null;
  stored: Api.StoredQuery | null;
  sending: Promise<Api.StoredQuery> | null;
  sentBytes: number;
  sendsOriginal: boolean;
  onProgress?: OnProgress;
}

interface IndexedPicture extends Api.Image {
  key: string;
  bitmap: ImageBitmap | null;
  full?: ImageBitmap | null;
}

type QueryPicture = OwnPicture | IndexedPicture;

/** An answer as far as it was requested. */
type PartialAnswer = Api.Answer & { isComplete: boolean };

// ---- a match, painted

type Pen = CanvasRenderingContext2D;

interface ScenePicture extends Size {
  bitmap: Bitmap | null;
}

/**
 * Two matching pictures in pixels from the left and top edge. outline: of the query in the hit, or of what both share;
 * shared: its outline in the query, where the hit shares a part; overlay: the first one laid on the second.
 */
interface Scene {
  query: ScenePicture;
  hit: ScenePicture;
  box: Box | null;
  outline: Point[] | null;
  shared: Point[] | null;
  colour: string;
  pairs: { query: Point; hit: Point; isInlier: boolean }[];
  overlay: Overlay | null;
}

interface Overlay extends Size {
  canvas: HTMLCanvasElement;
  x: number;
  y: number;
}

interface Placement {
  x: number;
  y: number;
  scale: number;
}

/** Where the pictures of a scene lie. */
interface Layout extends Size {
  query: Placement;
  hit: Placement;
}

type Lines = 'inliers' | 'all' | 'none';
type Mode = 'beside' | 'over';

interface Display {
  mode: Mode;
  lines: Lines;
  framed: boolean;
  opacity: number;
}

/** Paints; px: how long a pixel of the screen is in the units of the painting. */
type Paint = (pen: Pen, px: number) => void;

// ---- jobs

type Skipped = Api.Job['skipped'];
type PassedOver = Api.Job['passed_over'];

/** A line in the tray of jobs. */
interface TaskLine {
  remove(): void;
  progress(done: number, total: number, stage?: string): void;
  finish(text: string, skipped?: Skipped, kind?: "good" | "bad", passedOver?: PassedOver, offer?: Node | null): void;
}

// ---- many queries

/** A picture to search with: a file of the reader's, or one of the collection. */
type SeveralSource = { path: string } & ({ file: File; image?: undefined } | { file?: undefined; image: Api.Image });

type ItemState = 'waiting' | 'running' | 'done' | 'failed' | 'stopped';

/** What a row of the table shows of an answer. best: the first hit of the best verdict. */
interface Summary {
  best: Api.Hit | null;
  nProved: number;
  nParts: number;
  nHits: number;
  total: number;
}

/** One of many queries. answer: as the server sent it; small, thumb: a small copy and its address; tries: how many failed. */
interface Item {
  readonly number: number;
  readonly source: SeveralSource;
  state: ItemState;
  summary: Summary | null;
  answer: Blob | null;
  small: Blob | null;
  thumb: string | null;
  seconds: number;
  problem: string;
  detail: string;
  tries: number;
}

/** What a search with one of many pictures gives; thumb: a small copy of a file. */
interface FoundOne {
  answer: Api.Answer;
  thumb: Blob | null;
}

/** A query with its answer, for export. problem: why there is no answer; thumb: at most this long, in pixels. */
interface Exported {
  name: string;
  query: Query;
  problem: string;
  answer(): Promise<Api.Answer | null>;
  withPicture<T>(use: (picture: QueryPicture) => Promise<T>): Promise<T>;
  thumb(side: number): Promise<Blob>;
}

/** What is exported. about: lines below the title; what: the same for the reader who chooses; isSingle: one search. */
interface ExportJob {
  title: string;
  about: string[];
  what: string;
  fileName: string;
  found: Exported[];
  isSingle: boolean;
  print(): unknown;
  onSaved(): void;
}

/** Makes a file; onProgress is given how many queries are done. */
type MakeExport = (job: ExportJob, onProgress: (done: number) => void, signal: AbortSignal) => Promise<Blob>;
