import type { Promotion } from '../app/core/api/api-types';

/** A move of the alias `champion` to a transformer, version 4. */
export function promotion(changes: Partial<Promotion> = {}): Promotion {
  const metrics = { n: 1000, mase: 1.09, scrps: 0.0119, coverage_80: 0.8, coverage_95: 0.95 };
  return {
    model_name: 'stock-forecaster',
    alias: 'champion',
    version: '4',
    family: 'transformer',
    run_id: '3f2b8c1d',
    previous_version: '1',
    evaluation: {
      candidate: { family: 'transformer', version: '4', ...metrics },
      champion: null,
      naive: { family: 'naive', version: '1', ...metrics, scrps: 0.0121 },
      test: null,
      statistic: null,
      p_value: null,
    },
    training: {
      inputs: [{ topic: 'stock-data', partition: 3, from_offset: 0, to_offset: 2979 }],
      sha256: '9f86d081884c7d65',
      bars: 2980,
    },
    decided_by: 'hold-out comparison',
    reason: 'lowest sCRPS among the models that are not worse than the random walk',
    decided_at: '2012-01-03T21:00:00Z',
    outcome: 'MOVED',
    refused: null,
    schema_ids: [1],
    calendar: null,
    code_version: '1',
    ...changes,
  };
}
