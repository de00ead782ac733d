// Fields for somebody's own limits.
import type { CallerLimits } from "../../gen/ocr_grpc/v1/user_pb.ts";
import { Field } from "./form.tsx";
import { LIMITS } from "./values.ts";

interface LimitFieldsProps {
  readonly limits?: CallerLimits | undefined;
  readonly placeholder?: string;
}

/** One field for each limit; an empty one leaves it to the role or the user. */
export function LimitFields({ limits, placeholder = "" }: LimitFieldsProps) {
  return (
    <div class="three">
      {LIMITS.map(({ path, field, label }) => (
        <Field
          key={path}
          name={path}
          type="number"
          min={0}
          label={label}
          value={limits?.[field]}
          placeholder={placeholder}
        />
      ))}
    </div>
  );
}
