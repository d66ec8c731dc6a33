import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { of, throwError } from 'rxjs';

import { bar, bars, closedAt, forecast } from '../../../../testing/samples';
import { fanOf } from '../../../core/forecasts/forecasts';
import { BarFeed } from '../../../core/market/bar-feed';
import { PastReads } from '../../../core/past/past-reads';
import { Selection } from '../../../core/state/selection';
import { PastView } from './past-view';

describe('PastView', () => {
  const held = signal(bars(1, 10));
  const symbol = signal<string | null>('AAPL');
  let asked: string[];
  let failing: boolean;
  let view: PastView;

  async function settled(milliseconds = 100): Promise<void> {
    TestBed.tick();
    await vi.advanceTimersByTimeAsync(milliseconds);
    TestBed.tick();
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    [asked, failing] = [[], false];
    held.set(bars(1, 10));
    symbol.set('AAPL');
    const reads = {
      fansAt: (_: string, originAt: string) => {
        asked.push(originAt);
        return failing ? throwError(() => new Error('away')) : of([fanOf(forecast(8))]);
      },
    };
    TestBed.configureTestingModule({
      providers: [
        { provide: BarFeed, useValue: { bars: () => held } },
        { provide: Selection, useValue: { symbol } },
        { provide: PastReads, useValue: reads },
      ],
    });
    view = TestBed.inject(PastView);
    await settled();
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.useRealTimers();
  });

  it('looks from the close so many sessions back, and stays there while bars come in', async () => {
    view.to(2);
    await settled();
    expect([view.active(), view.back(), view.originAt()]).toEqual([true, 2, closedAt(8)]);
    expect(view.fans()?.map(({ family }) => family)).toEqual(['arima']);
    held.update((known) => [...known, bar(11)]);
    expect([view.back(), view.originAt()]).toEqual([3, closedAt(8)]);
  });

  it('asks only for the place where the slider rests', async () => {
    for (const back of [1, 2, 3, 4]) {
      view.to(back);
      await settled(20);
    }
    await settled();
    expect(asked).toEqual([closedAt(6)]);
  });

  it('reaches no further than the bars, and comes back to now', async () => {
    view.to(99);
    expect(view.originAt()).toBe(closedAt(1));
    view.to(0);
    await settled();
    expect([view.active(), view.fans()]).toEqual([false, null]);
  });

  it('leaves the past with the symbol, and tells what could not be read', async () => {
    failing = true;
    view.to(1);
    await settled();
    expect(view.problem()).not.toBeNull();
    symbol.set('IBM');
    await settled();
    expect([view.active(), view.problem()]).toEqual([false, null]);
  });
});
