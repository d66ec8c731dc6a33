import { byTopic } from './data-facts';

const range = (topic: string, partition: number) => ({ topic, partition, from_offset: 0, to_offset: 9 });

describe('byTopic', () => {
  it('gathers ranges under their topics, in the order in which topics come first', () => {
    const ranges = [range('stock-data', 3), range('corporate-actions', 3), range('stock-data', 5)];
    expect(byTopic(ranges)).toEqual([
      { topic: 'stock-data', ranges: [ranges[0], ranges[2]] },
      { topic: 'corporate-actions', ranges: [ranges[1]] },
    ]);
    expect(byTopic([])).toEqual([]);
  });
});
