package invalid.example.chatblock;

/**
 * Signatures with which players log in. A client signs its own calls; this is for handing signatures out. Keys and
 * signatures are secrets: do not log them.
 */
public final class UserSig {
    private UserSig() {
    }

    /**
     * Makes a signature.
     *
     * @param sdkappid      the app, 1 to 4294967295
     * @param secretKey     the app's secret key, used as text; not kept
     * @param identifier    the user, 1 to 32 bytes
     * @param expireSeconds its life in seconds, at most 50 years (1,576,800,000)
     * @return the signature
     */
    public static String generate(long sdkappid, String secretKey, String identifier, long expireSeconds) {
        int app = Arguments.unsigned("sdkappid", sdkappid);
        int expire = Arguments.unsigned("expireSeconds", expireSeconds);
        Arguments arguments = Arguments.ofSecret(Arguments.room("secretKey", secretKey) + Arguments.room("identifier", identifier));
        try {
            return Results.takeUserSig(Library.chatblock_usersig_generate(
                    app,
                    arguments.text("secretKey", secretKey),
                    arguments.text("identifier", identifier),
                    expire));
        } finally {
            arguments.wipe();
        }
    }

    /**
     * Verifies a signature at the present time; returns when it is good.
     *
     * @param sdkappid   the app it should be for
     * @param secretKey  the app's secret key, used as text; not kept
     * @param identifier the user it should be for
     * @param usersig    the signature
     * @throws ChatblockException {@code ERR_SIGNATURE} with service code 70003 (not a signature), 70014 (other app),
     *                            70013 (other user), 70001 (expired) or 70009 (other key)
     */
    public static void verify(long sdkappid, String secretKey, String identifier, String usersig) {
        int app = Arguments.unsigned("sdkappid", sdkappid);
        Arguments arguments = Arguments.ofSecret(
                Arguments.room("secretKey", secretKey) + Arguments.room("identifier", identifier) + Arguments.room("usersig", usersig));
        try {
            Results.take(Library.chatblock_usersig_verify(
                    app,
                    arguments.text("secretKey", secretKey),
                    arguments.text("identifier", identifier),
                    arguments.text("usersig", usersig)));
        } finally {
            arguments.wipe();
        }
    }
}
