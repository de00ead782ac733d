// What a field suggests while one types.

interface NameListProps {
  readonly id: string;
  readonly names: readonly string[];
}

/** Suggestions for the field whose `list` is this id. */
export function NameList({ id, names }: NameListProps) {
  return (
    <datalist id={id}>
      {names.map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
}
