/** A place in a source file; the column is known where the file did not compile. */
export interface Place {
    readonly file: string;
    readonly line: number;
    readonly column: number | null;
}
/**
 * Where in the user's own files an error comes from, or null. A parser tells it in its message, to the column; for what
 * is thrown the stack tells the line (columns are those of the compiled code).
 */
export declare function placeOf(error: unknown): Place | null;
