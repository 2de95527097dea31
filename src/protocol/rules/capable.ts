import type { Operator, ServiceSpec } from '#records'

/** Whether an operator has all that a service requires of its machine. */
export const isCapable = (
  { capabilities }: Pick<Operator, 'capabilities'>,
  { requires }: Pick<ServiceSpec, 'requires'>,
): boolean => requires.every((required) => capabilities.includes(required))
