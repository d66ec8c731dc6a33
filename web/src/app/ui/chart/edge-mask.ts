import type { IChartApi, UTCTimestamp } from 'lightweight-charts';

/** Half the width of the widest time label in pixels. */
const HALF = 15;

/** How many pixels from an edge hide the labels that it would cut; `middles`: how far inside it their middles are. */
export function coverOf(middles: readonly number[]): number {
  return Math.max(0, ...middles.filter((middle) => Math.abs(middle) < HALF).map((middle) => Math.ceil(middle + HALF)));
}

/** Hides time labels that the edges of a chart cut: the library draws them all the same. */
export class EdgeMask {
  private readonly labelled = new Set<number>();
  private readonly left: HTMLElement;
  private readonly right: HTMLElement;
  private due = 0;

  constructor(
    host: HTMLElement,
    private readonly chart: IChartApi,
  ) {
    [this.left, this.right] = [maskOn(host), maskOn(host)];
  }

  /** Note that a time (seconds since the epoch) has been given a label. */
  note(time: number): void {
    this.labelled.add(time);
    this.move();
  }

  /** The view has moved: look in the next frame, once labels are where they are drawn. */
  move(): void {
    cancelAnimationFrame(this.due);
    this.due = requestAnimationFrame(() => {
      const scale = this.chart.timeScale();
      const end = scale.width();
      const middles = [...this.labelled].map((time) => scale.timeToCoordinate(time as UTCTimestamp)).filter((middle) => middle !== null);
      const cover = coverOf(middles.map((middle) => end - middle));
      this.left.style.width = `${coverOf(middles)}px`;
      this.right.style.left = `${end - cover}px`;
      this.right.style.width = `${cover}px`;
    });
  }

  destroy(): void {
    cancelAnimationFrame(this.due);
    this.left.remove();
    this.right.remove();
  }
}

function maskOn(host: HTMLElement): HTMLElement {
  const mask = host.ownerDocument.createElement('div');
  mask.className = 'chart-edge';
  host.append(mask);
  return mask;
}
