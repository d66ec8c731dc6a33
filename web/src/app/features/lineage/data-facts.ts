import { Component, computed, input } from '@angular/core';

import type { OffsetRange } from '../../core/api/api-types';
import { count } from '../../ui/numbers';

/** The ranges of one topic: which of its offsets were read, by partition. */
export interface TopicRanges {
  readonly topic: string;
  readonly ranges: readonly OffsetRange[];
}

/** Ranges by topic, in the order in which the topics are named first. */
export function byTopic(ranges: readonly OffsetRange[]): readonly TopicRanges[] {
  const topics = [...new Set(ranges.map(({ topic }) => topic))];
  return topics.map((topic) => ({ topic, ranges: ranges.filter((range) => range.topic === topic) }));
}

/** Data by where they stand in the log and by their hash; more facts may be put inside. */
@Component({
  selector: 'ft-data-facts',
  template: `
    <dl class="facts-list">
      @for (topic of topics(); track topic.topic) {
        <div>
          <dt>
            <code>{{ topic.topic }}</code>
          </dt>
          <dd class="num">
            @for (range of topic.ranges; track range) {
              <div>partition {{ range.partition }}: {{ count(range.from_offset) }} to {{ count(range.to_offset) }}</div>
            }
          </dd>
        </div>
      }
      <div>
        <dt>{{ name() }}</dt>
        <dd class="num">
          {{ count(bars()) }} bars, SHA-256 <code class="hash">{{ sha256() }}</code>
        </dd>
      </div>
      <ng-content />
    </dl>
  `,
})
export class DataFacts {
  /** What the data are to the reader: an input, a data set. */
  readonly name = input.required<string>();
  readonly ranges = input.required<readonly OffsetRange[]>();
  readonly bars = input.required<number>();
  readonly sha256 = input.required<string>();

  protected readonly topics = computed(() => byTopic(this.ranges()));
  protected readonly count = count;
}
