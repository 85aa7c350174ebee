-- As Prisma writes it by its own rules: its engine writes MySQL's DDL only where a MySQL server answers.
CREATE TABLE `users` (
    `id` INTEGER UNSIGNED NOT NULL AUTO_INCREMENT,
    `email` VARCHAR(191) NOT NULL,
    `name` VARCHAR(50) NULL,
    `bio` TEXT NULL,
    `role` ENUM('user', 'ADMIN') NOT NULL DEFAULT 'user',
    `ok` BOOLEAN NOT NULL DEFAULT true,
    `tiny` BOOLEAN NOT NULL DEFAULT false,
    `bit` BIT(1) NOT NULL,
    `createdAt` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    `stamp` TIMESTAMP(0) NOT NULL DEFAULT CURRENT_TIMESTAMP(0),
    `born` DATE NULL,
    `at` TIME(2) NULL,
    `updatedAt` DATETIME(3) NOT NULL,
    `data` JSON NULL,
    `price` DECIMAL(65, 30) NOT NULL DEFAULT 1.50,
    `cost` DECIMAL(10, 2) NOT NULL,
    `ratio` DOUBLE NOT NULL DEFAULT 0.5,
    `half` FLOAT NOT NULL,
    `raw` LONGBLOB NULL,
    `fixedRaw` BINARY(16) NOT NULL,
    `year` YEAR NOT NULL,
    `small` SMALLINT NOT NULL DEFAULT -3,
    `medium` MEDIUMINT UNSIGNED NOT NULL,
    `big` BIGINT UNSIGNED NOT NULL DEFAULT 9,
    `made` VARCHAR(191) NOT NULL DEFAULT (uuid()),
    `text` VARCHAR(191) NOT NULL DEFAULT 'it''s 100% "q"',

    UNIQUE INDEX `users_email_key`(`email`),
    INDEX `users_name_born_idx`(`name`(10) DESC, `born`),
    FULLTEXT INDEX `users_bio_idx`(`bio`),
    INDEX `bio_prefix`(`bio`(100)),
    UNIQUE INDEX `users_name_role_key`(`name`, `role`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE `Post` (
    `id` VARCHAR(191) NOT NULL,
    `authorId` INTEGER UNSIGNED NOT NULL,
    `a` INTEGER NULL,
    `b` INTEGER NULL,
    `number` INTEGER NOT NULL AUTO_INCREMENT,

    UNIQUE INDEX `Post_number_key`(`number`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE `Tag` (
    `a` INTEGER NOT NULL,
    `b` INTEGER NOT NULL,
    `c` INTEGER NOT NULL,

    UNIQUE INDEX `Tag_c_key`(`c`),
    PRIMARY KEY (`a`, `b`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE `Group` (
    `code` VARCHAR(400) NOT NULL,
    `part` INTEGER NOT NULL,
    `id` VARCHAR(191) NOT NULL,
    `leaderId` INTEGER UNSIGNED NOT NULL,

    UNIQUE INDEX `Group_id_key`(`id`),
    PRIMARY KEY (`code`(20), `part`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE `_friends` (
    `A` INTEGER UNSIGNED NOT NULL,
    `B` INTEGER UNSIGNED NOT NULL,

    UNIQUE INDEX `_friends_AB_unique`(`A`, `B`),
    INDEX `_friends_B_index`(`B`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

ALTER TABLE `Post` ADD CONSTRAINT `Post_authorId_fkey` FOREIGN KEY (`authorId`) REFERENCES `users`(`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `Post` ADD CONSTRAINT `Post_a_b_fkey` FOREIGN KEY (`a`, `b`) REFERENCES `Tag`(`a`, `b`) ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE `Group` ADD CONSTRAINT `Group_leaderId_fkey` FOREIGN KEY (`leaderId`) REFERENCES `users`(`id`) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE `_friends` ADD CONSTRAINT `_friends_A_fkey` FOREIGN KEY (`A`) REFERENCES `users`(`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `_friends` ADD CONSTRAINT `_friends_B_fkey` FOREIGN KEY (`B`) REFERENCES `users`(`id`) ON DELETE CASCADE ON UPDATE CASCADE;
