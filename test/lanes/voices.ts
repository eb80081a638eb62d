/** One who writes while others do: what it says is heard when its turn has come. */
export interface Voice {
  say(text: string): void;
  /** It says no more: the next one is heard. */
  end(): void;
}

interface Turn {
  unheard: string;
  hasEnded: boolean;
}

/**
 * What several say at the same time is written as if one had begun when the one before it had ended:
 * the first of them as it speaks, what the others say when their turns come.
 */
export class Voices {
  readonly #write: (text: string) => void;
  readonly #turns: Turn[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  begin(): Voice {
    const turn: Turn = { unheard: "", hasEnded: false };
    this.#turns.push(turn);
    return {
      say: (text) => {
        turn.unheard += text;
        this.#hear();
      },
      end: () => {
        turn.hasEnded = true;
        this.#hear();
      },
    };
  }

  #hear(): void {
    for (;;) {
      const [turn] = this.#turns;
      if (turn === undefined) return;
      this.#write(turn.unheard);
      turn.unheard = "";
      if (!turn.hasEnded) return;
      this.#turns.shift();
    }
  }
}
