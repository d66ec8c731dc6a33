import { TestBed } from '@angular/core/testing';

import { ChartSettings } from './chart-settings';
import { STORAGE } from './theme';

describe('ChartSettings', () => {
  let kept: Map<string, string>;

  function settings(): ChartSettings {
    TestBed.resetTestingModule();
    const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) };
    TestBed.configureTestingModule({ providers: [{ provide: STORAGE, useValue: storage }] });
    return TestBed.inject(ChartSettings);
  }

  beforeEach(() => (kept = new Map()));

  it('are remembered', () => {
    const first = settings();
    first.drawAs('line');
    first.scaleTo('log');
    first.showRaw(true);
    const second = settings();
    expect([second.style(), second.scale(), second.raw()]).toEqual(['line', 'log', true]);
  });

  it('are the usual ones where what was kept makes no sense', () => {
    kept.set('foretick.chart', 'bars cubic');
    const found = settings();
    expect([found.style(), found.scale(), found.raw()]).toEqual(['candles', 'linear', false]);
  });

  it('draw two symbols in percent, and only so', () => {
    const found = settings();
    found.compareWith('IBM');
    expect(found.scale()).toBe('percent');
    found.scaleTo('log');
    expect([found.comparison(), found.scale()]).toEqual([null, 'log']);
  });
});
