// Figures in large type.
import type { ComponentChildren } from "preact";
import type { UsageGroup } from "../../gen/ocr_grpc/v1/ledger_pb.ts";
import { number } from "./words.ts";

interface FactProps {
  readonly label: string;
  readonly children: ComponentChildren;
}

/** A figure with its name; goes into a `Facts`. */
export function Fact({ label, children }: FactProps) {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Facts({ children }: { readonly children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

/** The sum of a summary. */
export function TotalFacts({ total }: { readonly total: UsageGroup | undefined }) {
  return (
    <Facts>
      <Fact label="Pages">{number(total?.usage?.pages ?? 0)}</Fact>
      <Fact label="Calls">{number(total?.calls ?? 0)}</Fact>
      <Fact label="Calls that failed">{number(total?.failedCalls ?? 0)}</Fact>
    </Facts>
  );
}
