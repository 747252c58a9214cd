import {
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldRules,
  message as messageRules,
  oneof as oneofRules,
} from "#gen/buf/validate/validate_pb.ts";

/** One rule of a field: its name in buf.validate, and its value as text. */
export interface NamedRule {
  readonly name: string;
  readonly value: string;
}

/** The rules of a field, undefined where it has none. */
export function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}

/** A field's rules in words, such as `1 to 128 characters`; empty where it has none. */
export function ruleWords(field: DescField): string[] {
  const rules = rulesOf(field);
  if (!rules) return [];
  return [
    ...(rules.required ? ["required"] : []),
    ...typeRules(rules).map(words),
    ...rules.cel.map(({ message }) => message),
  ];
}

/** Rules over several fields of a message, in words. */
export function messageRuleWords(message: DescMessage): string[] {
  const own = hasOption(message, messageRules)
    ? getOption(message, messageRules).cel.map((rule) => rule.message)
    : [];
  const groups = message.oneofs.filter((group) => isRequired(group));
  return [
    ...own,
    ...groups.map(({ fields }) => `exactly one of ${fields.map((f) => f.name).join(", ")}`),
  ];
}

/** Ids of the rules in CEL of a field; those in capitals are reasons. */
export function ruleIds(field: DescField): string[] {
  return rulesOf(field)?.cel.map(({ id }) => id) ?? [];
}

/** Whether one field of the group must be set. */
export function isRequired(group: DescOneof): boolean {
  return hasOption(group, oneofRules) && getOption(group, oneofRules).required;
}

/** The rules of the field's own type, one by one: `pattern`, `max_len`, `gte`, … */
export function typeRules(rules: FieldRules): NamedRule[] {
  const type = reflect(FieldRulesSchema, rules).fields.find(
    (field) => field.oneof?.name === "type" && reflect(FieldRulesSchema, rules).isSet(field),
  );
  if (type?.message === undefined) return [];
  const inner = reflect(FieldRulesSchema, rules).get(type);
  if (!isReflected(inner)) return [];
  return inner.fields
    .filter((field) => inner.isSet(field))
    .map((field) => ({ name: field.name, value: valueText(inner.get(field)) }));
}

interface Reflected {
  readonly fields: readonly DescField[];
  isSet(field: DescField): boolean;
  get(field: DescField): unknown;
  readonly message: Message;
}

function isReflected(value: unknown): value is Reflected {
  return typeof value === "object" && value !== null && "isSet" in value && "fields" in value;
}

function valueText(value: unknown): string {
  if (!isReflected(value))
    return Symbol.iterator in Object(value) ? listText(value) : String(value);
  const seconds = value.fields.find(({ name }) => name === "seconds");
  // A Duration; every other message is rules of a map's keys or values.
  if (seconds) return `${value.get(seconds)} s`;
  return value.fields
    .filter((field) => value.isSet(field))
    .map((field) => {
      const inner = value.get(field);
      return isReflected(inner)
        ? valueText(inner)
        : words({ name: field.name, value: String(inner) });
    })
    .join(", ");
}

function listText(value: unknown): string {
  // A repeated field of rules, such as enum.in.
  return typeof value === "string"
    ? value
    : [...(value as Iterable<unknown>)].map(String).join(", ");
}

const WORDS: Readonly<Record<string, (value: string) => string>> = {
  pattern: (value) => `matches \`${value.replaceAll("|", "\\|")}\``,
  min_len: (value) => `at least ${value} characters`,
  max_len: (value) => `at most ${value} characters`,
  min_items: (value) => `at least ${value} items`,
  max_items: (value) => `at most ${value} items`,
  max_pairs: (value) => `at most ${value} pairs`,
  gte: (value) => `${value} or more`,
  gt: (value) => `more than ${value}`,
  lte: (value) => `${value} or less`,
  lt: (value) => `less than ${value}`,
  defined_only: () => "a value that is defined",
  in: (value) => `one of ${value}`,
  not_in: (value) => `not ${value}`,
  keys: (value) => `keys: ${value}`,
  values: (value) => `values: ${value}`,
  items: (value) => `items: ${value}`,
};

function words({ name, value }: NamedRule): string {
  return WORDS[name]?.(value) ?? `${name} ${value}`;
}
