import { messagesOf } from './stream-messages';

const beat = { type: 'heartbeat', at: '2012-01-03T21:00:00Z' };

describe('messagesOf', () => {
  it('takes one message or an array of them', () => {
    expect(messagesOf(beat)).toEqual([beat]);
    expect(messagesOf([beat, beat])).toEqual([beat, beat]);
  });

  it('leaves out what it does not know', () => {
    expect(messagesOf([{ type: 'later' }, null, 7, 'x', beat])).toEqual([beat]);
  });
});
