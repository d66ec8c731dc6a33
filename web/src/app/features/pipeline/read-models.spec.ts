import type { ReadModelProgress } from '../../core/api/api-types';
import { ago, readModels } from './read-models';

const line = (changes: Partial<ReadModelProgress>): ReadModelProgress => ({
  name: 'stock_data', topic: 'stock-data', partition: 0, position: 5, end: 7, lag: 2, applied: 5, fenced: 1, dead: 0,
  updated_at: '2026-01-01T00:00:00Z', ...changes,
});

describe('readModels', () => {
  it('add up partitions and keep the newest write', () => {
    const lines = [line({}), line({ partition: 1, lag: 3, updated_at: '2026-01-01T00:00:05Z' }), line({ name: 'forecasts', topic: 'stock-forecasts' })];
    const [forecasts, bars] = readModels(lines);
    expect(forecasts).toMatchObject({ name: 'forecasts', lag: 2 });
    expect(bars).toEqual({
      name: 'stock_data', topics: ['stock-data'], partitions: 2, lag: 5, applied: 10, fenced: 2, dead: 0, updatedAt: '2026-01-01T00:00:05Z',
    });
  });

  it('know no lag while one partition has none', () => {
    expect(readModels([line({}), line({ partition: 1, lag: null, end: null })])[0]?.lag).toBeNull();
  });
});

describe('ago', () => {
  it('says how long in the largest fitting unit', () => {
    expect([0, 5000, 300_000, 10_800_000, 400_000_000].map(ago)).toEqual(['just now', '5 s ago', '5 min ago', '3 h ago', '4 days ago']);
  });
});
